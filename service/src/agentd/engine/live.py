# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One live client: a task that owns it from its start to its close."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from agentd.deadline import Deadline
from agentd.engine.client import (
    Background,
    Began,
    Client,
    ClientMessage,
    Ended,
    Said,
    Taken,
    WritesLost,
)
from agentd.engine.outbox import MAX_CHARACTERS, Outbox
from agentd.engine.protocol import ClientWish, EngineWatch, Outbound, TurnOutcome
from agentd.engine.starts import Starts
from agentd.engine.turn import Turn, is_answer
from agentd.errors import AgentdError, CliFailed, Draining, TurnHandedOver
from agentd.log import get_log

ORDERS = 4
CLOSE_SECONDS = 20.0
GIVE_UP_SECONDS = 5.0

log = get_log("engine")


class Interrupt:
    """An order to interrupt the running turn."""


class Close:
    """An order to close the client."""


Order = Turn | Interrupt | Close


@dataclass(frozen=True)
class Around:
    """What every live client has around it."""

    starts: Starts
    outbox: Outbox
    watch: EngineWatch
    on_closed: Callable[[LiveClient], None]


class LiveClient:
    """A client that its own task connects, uses and closes.

    The SDK demands that one task does all three. Others put orders into a bounded
    queue and wait for the turn's future.
    """

    def __init__(self, wish: ClientWish, client: Client, around: Around) -> None:
        self.wish = wish
        self.in_turn = False
        self.closing = False
        self.closing_at = 0.0
        self.why = "failed"
        self.last_used = 0.0
        self.closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connected = False
        self._busy = False
        self._client = client
        self._around = around
        self._orders: asyncio.Queue[Order] = asyncio.Queue(maxsize=ORDERS)
        self._turn: Turn | None = None
        self._model = wish.model
        self._failure: AgentdError | None = None
        self._tells_taken = False
        self._in_unasked = False
        self._background = 0

    @property
    def works(self) -> bool:
        """Return whether the CLI says that it works on something of its own."""
        return self._in_unasked or self._background > 0

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin the task that owns the client."""
        name = f"client {self.wish.conversation_id}"
        self._task = tasks.create_task(self._own(), name=name)
        self._task.add_done_callback(self._end)

    async def _own(self) -> None:
        try:
            async with self._around.starts.place(self.wish.agent):
                began = asyncio.get_running_loop().time()
                await self._client.connect()
            seconds = asyncio.get_running_loop().time() - began
            self._around.watch.client_started(self.wish.agent, seconds)
            self._connected = True
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read())
                await self._obey()
                reader.cancel()
        except Exception as error:
            self._failure = self._failure or failure_of(error)
        finally:
            self.note_end("failed")
            await self._disconnect()

    async def _disconnect(self) -> None:
        try:
            await self._client.disconnect()
        except Exception as error:
            # It would end every other client too.
            failure_of(error)

    async def say(self, turn: Turn) -> TurnOutcome:
        """Say a message and return how its turn ended; raise what broke it off."""
        await self._order(turn)
        return await asyncio.shield(turn.ended)

    async def interrupt(self, turn: Turn, grace_seconds: float) -> None:
        """Ask the CLI to end the turn and wait shortly for it to do so."""
        if not self._connected:
            return
        with suppress(TimeoutError, AgentdError):
            async with Deadline(grace_seconds):
                await self._order(Interrupt())
                await asyncio.shield(turn.ended)

    async def close(self, why: str) -> None:
        """Close the client and wait until it is closed; bounded."""
        self.note_end(why)
        # An order that hangs in the agent would keep the one to close waiting.
        if self._connected and not self._busy and not self._orders.full():
            self._orders.put_nowait(Close())
        elif self._task is not None:
            self._task.cancel()
        for seconds in (CLOSE_SECONDS, GIVE_UP_SECONDS):
            with suppress(TimeoutError):
                async with Deadline(seconds):
                    await self.closed.wait()
                return
            log.warning("client_stuck", conversation=self.wish.conversation_id)
            if self._task is not None:
                self._task.cancel()
        # Its task may hang for ever; the conversation may not.
        self._end(None)

    def hand_over(self) -> bool:
        """Leave the CLI to its agent's side; return whether a turn ran in it."""
        self.note_end("handed_over")
        turn = self._turn
        running = turn is not None and not turn.ended.done()
        if turn is not None:
            turn.fail(
                TurnHandedOver(
                    "Control stops, and the agent brings this turn to an end alone. "
                    "Look for its answer in the conversation when control is back."
                )
            )
        self._failure = Draining("Nothing was said: control is stopping. Say it again.")
        self._client.abandon()
        if self._task is not None:
            self._task.cancel()
        return running

    def note_end(self, why: str) -> None:
        """Take no more turns: the client is about to end, and why."""
        if not self.closing:
            self.why = why
            self.closing_at = asyncio.get_running_loop().time()
        self.closing = True

    async def _order(self, order: Order) -> None:
        if self.closed.is_set():
            raise self._failure or CliFailed("The live client was closed.")
        await self._orders.put(order)
        if self.closed.is_set() and isinstance(order, Turn):
            order.fail(self._failure or CliFailed("The live client was closed."))

    async def _obey(self) -> None:
        while True:
            order = await self._orders.get()
            if isinstance(order, Close):
                return
            self._busy = True
            if isinstance(order, Interrupt):
                await self._client.interrupt()
            else:
                self._turn = order
                if order.model != self._model:
                    await self._client.set_model(order.model)
                    self._model = order.model
                await self._client.say(order.message, order.id)
            self._busy = False

    async def _read(self) -> None:
        async for message in self._client.messages():
            self._take(message)
        raise CliFailed("The CLI ended.")

    def _take(self, message: ClientMessage) -> None:
        turn = self._turn
        if isinstance(message, Taken):
            self._tells_taken = True
            if turn is not None and message.message_id == turn.id:
                turn.taken = True
        elif isinstance(message, Background):
            self._background = message.count
        elif isinstance(message, WritesLost):
            # The proof on disk decides what the answer says; this tells the cause.
            log.error(
                "session_writes_lost",
                agent=self.wish.agent,
                conversation=self.wish.conversation_id,
                reason=message.reason,
            )
        elif isinstance(message, Ended):
            self._end_turn(turn, message)
        elif turn is None or turn.ended.done() or not self._is_about(turn):
            # Nobody asked for this; its text comes with its end.
            self._in_unasked = True
        elif isinstance(message, Began):
            turn.begin(message)
        elif isinstance(message, Said):
            turn.note(message)
        else:
            turn.listener(message)

    def _is_about(self, turn: Turn) -> bool:
        """Return whether what the CLI tells now belongs to the turn that was asked."""
        return turn.taken if self._tells_taken else not self._in_unasked

    def _end_turn(self, turn: Turn | None, ended: Ended) -> None:
        self._in_unasked = False
        if turn is None or turn.ended.done() or not is_answer(ended, turn.id):
            self._keep(ended)
            return
        self._turn = None
        turn.end(ended)

    def _keep(self, ended: Ended) -> None:
        """Keep the text of a turn that nobody asked for."""
        text = (ended.result or "")[:MAX_CHARACTERS]
        told = {"agent": self.wish.agent, "conversation": self.wish.conversation_id}
        log.info("unasked_turn_ended", is_error=ended.is_error, **told)
        if ended.injected and not ended.is_error and text.strip():
            self._around.outbox.offer(
                Outbound(self.wish.agent, self.wish.conversation_id, text, "background")
            )

    def _end(self, _task: asyncio.Task[None] | None) -> None:
        if self.closed.is_set():
            return
        self.note_end("failed")
        self.closed.set()
        failure = self._failure or CliFailed("The live client was closed.")
        if self._turn is not None:
            self._turn.fail(failure)
        while not self._orders.empty():
            order = self._orders.get_nowait()
            if isinstance(order, Turn):
                order.fail(failure)
        self._around.watch.client_ended(self.wish.agent, self.why)
        self._around.on_closed(self)


def failure_of(error: Exception) -> AgentdError:
    """Return what ended a client, as an error of ours.

    What comes out of a container may never end control, so an error that is not
    ours becomes one, and is logged in full.
    """
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, AgentdError):
        return error
    log.error("client_failed", exc_info=error)
    return CliFailed(f"The live client failed: {type(error).__name__}.")
