# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One live client: a task that owns it from its start to its close."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from agentd.deadline import Deadline
from agentd.engine.client import Began, Client, ClientMessage, Ended, Said, WritesLost
from agentd.engine.protocol import ClientWish, Listener, TurnOutcome
from agentd.errors import AgentdError, CliFailed
from agentd.log import get_log
from agentd.sessions.failures import cli_failure
from agentd.sessions.identity import canonical_uuid

ORDERS = 4
CLOSE_SECONDS = 20.0

log = get_log("engine")


@dataclass
class Turn:
    """A turn that runs: what was said, who listens, and how it ends."""

    message: str
    model: str | None
    listener: Listener
    id: str
    ended: asyncio.Future[TurnOutcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    said_model: str | None = None
    session_id: str | None = None
    last_uuid: str | None = None

    def __post_init__(self) -> None:
        # A turn that timed out may fail later, when nobody waits for it any more.
        self.ended.add_done_callback(
            lambda ended: ended.cancelled() or ended.exception()
        )

    def fail(self, error: AgentdError) -> None:
        """End the turn with an error, unless it has ended."""
        if not self.ended.done():
            self.ended.set_exception(error)


class Interrupt:
    """An order to interrupt the running turn."""


class Close:
    """An order to close the client."""


Order = Turn | Interrupt | Close


class LiveClient:
    """A client that its own task connects, uses and closes.

    The SDK demands that one task does all three. Others put orders into a bounded
    queue and wait for the turn's future.
    """

    def __init__(
        self,
        wish: ClientWish,
        client: Client,
        starts: asyncio.Semaphore,
        on_closed: Callable[[LiveClient], None],
    ) -> None:
        self.wish = wish
        self.in_turn = False
        self.closing = False
        self.last_used = 0.0
        self.closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connected = False
        self._busy = False
        self._client = client
        self._starts = starts
        self._on_closed = on_closed
        self._orders: asyncio.Queue[Order] = asyncio.Queue(maxsize=ORDERS)
        self._turn: Turn | None = None
        self._model = wish.model
        self._failure: AgentdError | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin the task that owns the client."""
        name = f"client {self.wish.conversation_id}"
        self._task = tasks.create_task(self._own(), name=name)
        self._task.add_done_callback(self._end)

    async def _own(self) -> None:
        try:
            async with self._starts:
                await self._client.connect()
            self._connected = True
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read())
                await self._obey()
                reader.cancel()
        except Exception as error:
            self._failure = failure_of(error)
        finally:
            self.closing = True
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

    async def close(self) -> None:
        """Close the client and wait until it is closed; bounded."""
        self.closing = True
        # An order that hangs in the agent would keep the one to close waiting.
        if self._connected and not self._busy and not self._orders.full():
            self._orders.put_nowait(Close())
        elif self._task is not None:
            self._task.cancel()
        try:
            async with Deadline(CLOSE_SECONDS):
                await self.closed.wait()
        except TimeoutError:
            log.warning("client_stuck", conversation=self.wish.conversation_id)
            if self._task is not None:
                self._task.cancel()
            await self.closed.wait()

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
        if turn is None or turn.ended.done():
            return
        if isinstance(message, Began):
            turn.session_id = message.session_id or turn.session_id
            turn.said_model = message.model or turn.said_model
        elif isinstance(message, Said):
            turn.last_uuid = message.uuid or turn.last_uuid
            turn.said_model = message.model or turn.said_model
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
        else:
            turn.listener(message)

    def _end_turn(self, turn: Turn, ended: Ended) -> None:
        if not is_answer(ended, turn.id):
            log.info("injected_turn_ended", conversation=self.wish.conversation_id)
            return
        self._turn = None
        session_id = canonical_uuid(ended.session_id) or turn.session_id
        if ended.is_error:
            text = ended.error or ended.result or "the CLI gave no reason"
            failure = cli_failure(text, text)
            if failure.__class__ is not CliFailed:
                turn.fail(failure)
                return
        turn.ended.set_result(
            TurnOutcome(
                status="error" if ended.is_error else "success",
                result=None if ended.is_error else ended.result,
                error=ended.error or ended.result if ended.is_error else None,
                model=turn.said_model,
                session_id=session_id,
                last_message_uuid=turn.last_uuid,
            )
        )

    def _end(self, _task: asyncio.Task[None]) -> None:
        self.closing = True
        self.closed.set()
        failure = self._failure or CliFailed("The live client was closed.")
        if self._turn is not None:
            self._turn.fail(failure)
        while not self._orders.empty():
            order = self._orders.get_nowait()
            if isinstance(order, Turn):
                order.fail(failure)
        self._on_closed(self)


def is_answer(ended: Ended, message_id: str) -> bool:
    """Return whether the turn that ended is the one that took the message in."""
    if ended.answered is not None:
        return message_id in ended.answered
    return not ended.injected


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
