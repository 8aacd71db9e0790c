# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Turns: begun under the conversation's lock, run to their end, proved and stored.

A turn belongs to the service, not to the request that began it: a caller that goes
away changes nothing, and finds the answer among the conversation's messages.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from agentd.clock import Clock
from agentd.conversations.feed import EventFeed
from agentd.conversations.proof import transcript_exists
from agentd.conversations.run import TurnParts, TurnRun
from agentd.conversations.values import Answer, Ask, RunningTurn
from agentd.database.conversations import (
    RUNNING,
    Message,
    add_conversation,
    add_message,
    get_conversation,
    remove_conversation,
)
from agentd.database.sessions import get_session, put_session
from agentd.engine.protocol import ClientWish
from agentd.errors import (
    AgentUnavailable,
    AgentUnknown,
    ConversationBusy,
    ConversationUnknown,
    Draining,
    EngineBusy,
)
from agentd.log import get_log
from agentd.sessions.choose import Choice, Found, choose
from agentd.sessions.identity import (
    SessionKey,
    StoredSession,
    new_conversation_id,
    new_message_id,
    new_session_id,
)
from agentd.settings import AgentEntry, ControlSettings

log = get_log("turns")


class Turns:
    """The turns of every conversation, one at a time in each."""

    def __init__(
        self,
        settings: ControlSettings,
        parts: TurnParts,
        tasks: asyncio.TaskGroup,
        clock: Clock,
    ) -> None:
        self._agents = {agent.name: agent for agent in settings.agents}
        self._default_agent = settings.agents[0].name
        self._max_seconds = settings.max_execution_seconds
        self._parts = parts
        self._tasks = tasks
        self._clock = clock
        self._locked: set[str] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._draining = False

    @property
    def draining(self) -> bool:
        """Return whether no new turn is taken."""
        return self._draining

    @property
    def running_count(self) -> int:
        """Return how many turns run."""
        return len(self._running)

    async def begin(self, ask: Ask) -> RunningTurn:
        """Store the message and begin its turn in a task of its own.

        Raise Draining, ConversationUnknown, ConversationBusy, AgentUnknown,
        AgentUnavailable or EngineBusy, with nothing stored.
        """
        if self._draining:
            raise Draining(
                "Cannot take a message: control is stopping. Try again shortly."
            )
        conversation_id = ask.conversation_id or new_conversation_id()
        self._lock(conversation_id)
        try:
            run = await self._prepare(ask, conversation_id)
        except BaseException:
            self._release(conversation_id)
            raise
        self._start(run)
        return run.turn

    async def remove(self, conversation_id: str) -> None:
        """Remove a conversation; raise ConversationUnknown or ConversationBusy."""
        self._lock(conversation_id)
        try:
            await self._parts.engine.close(conversation_id)
            async with self._parts.database.write() as connection:
                removed = await remove_conversation(connection, conversation_id)
        finally:
            self._release(conversation_id)
        if not removed:
            raise _unknown(conversation_id)

    async def drain(self, seconds: float) -> int:
        """Take no new turn, let running ones end; return how many did not."""
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._quiet.wait()
        return len(self._running)

    async def cancel(self) -> None:
        """Break off the turns that still run and wait until they are stored."""
        self._draining = True
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _start(self, run: TurnRun) -> None:
        conversation_id = run.turn.conversation_id
        task = self._tasks.create_task(run.run(), name=f"turn {conversation_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # The lock is given back by the task's end and by nothing in the task, so
        # that no error and no cancellation can keep it.
        task.add_done_callback(lambda _task: self._release(conversation_id))

    def _lock(self, conversation_id: str) -> None:
        if conversation_id in self._locked:
            raise ConversationBusy(
                f'Conversation "{conversation_id}" is in a turn. '
                "Wait for its answer and try again."
            )
        self._locked.add(conversation_id)
        self._quiet.clear()

    def _release(self, conversation_id: str) -> None:
        self._locked.discard(conversation_id)
        if not self._locked:
            self._quiet.set()

    async def _prepare(self, ask: Ask, conversation_id: str) -> TurnRun:
        agent, stored = await self._find(ask)
        if not self._parts.spawner.states()[agent.name].connected:
            raise AgentUnavailable(
                f'Cannot reach agent "{agent.name}": its side is not connected. '
                "Start its container and try again."
            )
        if not self._parts.engine.has_room(agent.name, conversation_id):
            raise EngineBusy(
                "Cannot start a client: all that may live are in a turn. "
                "Try again shortly, or raise max_live_clients."
            )
        key = SessionKey(agent.name, conversation_id)
        choice = await self._choose(key, stored)
        turn = RunningTurn(
            conversation_id=conversation_id,
            message_id=new_message_id(),
            agent=agent.name,
            session_id=choice.session_id,
            feed=EventFeed(),
            answered=_answer_future(),
        )
        run = TurnRun(
            parts=self._parts,
            clock=self._clock,
            turn=turn,
            choice=choice,
            wish=_wish(agent, key, choice, ask),
            message=ask.message,
            timeout_seconds=self._timeout(ask),
        )
        # Last of all: what fails before it leaves no conversation that seems to run.
        await self._store(ask, key, turn, stored)
        return run

    async def _find(self, ask: Ask) -> tuple[AgentEntry, StoredSession | None]:
        name = ask.agent or self._default_agent
        stored: StoredSession | None = None
        if ask.conversation_id is not None:
            async with self._parts.database.read() as connection:
                known = await get_conversation(connection, ask.conversation_id)
                if known is None:
                    raise _unknown(ask.conversation_id)
                key = SessionKey(known.agent, known.id)
                stored = await get_session(connection, key)
            if ask.agent is not None and ask.agent != known.agent:
                raise AgentUnknown(
                    f'Conversation "{known.id}" belongs to agent "{known.agent}", not '
                    f'to "{ask.agent}". Leave the agent out, or begin a conversation.'
                )
            name = known.agent
        agent = self._agents.get(name)
        if agent is None:
            raise AgentUnknown(
                f'Agent "{name}" is not declared in this deployment. '
                f"Declared are: {', '.join(sorted(self._agents))}."
            )
        return agent, stored

    async def _choose(self, key: SessionKey, stored: StoredSession | None) -> Choice:
        if stored is None:
            return Choice(new_session_id(), resume=False)
        if self._parts.engine.live(key.conversation_id) == stored.session_id:
            return Choice(stored.session_id, resume=True)
        exists = await transcript_exists(
            self._parts.spawner, key.agent, stored.session_id
        )
        choice = choose(Found(key.agent, stored, exists), new_session_id())
        if choice.notice:
            log.warning("session_lost", agent=key.agent, session=stored.session_id)
        return choice

    async def _store(
        self,
        ask: Ask,
        key: SessionKey,
        turn: RunningTurn,
        stored: StoredSession | None,
    ) -> None:
        now = self._clock.now()
        async with self._parts.database.write() as connection:
            if ask.conversation_id is None:
                await add_conversation(connection, key.conversation_id, key.agent, now)
            if stored is None or stored.session_id != turn.session_id:
                session = StoredSession(turn.session_id, durable=False)
                await put_session(connection, key, session, now)
            message = Message(
                id=new_message_id(),
                conversation_id=key.conversation_id,
                role="user",
                content=ask.message,
                status="said",
                created_at=now,
                sender=ask.sender,
                sender_name=ask.sender_name,
            )
            await add_message(connection, message, RUNNING)

    def _timeout(self, ask: Ask) -> float:
        if ask.max_execution_ms is None:
            return self._max_seconds
        return min(self._max_seconds, ask.max_execution_ms / 1000)


def _answer_future() -> asyncio.Future[Answer]:
    return asyncio.get_running_loop().create_future()


def _wish(agent: AgentEntry, key: SessionKey, choice: Choice, ask: Ask) -> ClientWish:
    return ClientWish(
        agent=agent.name,
        conversation_id=key.conversation_id,
        session_id=choice.session_id,
        resume=choice.resume,
        model=ask.model or agent.model,
        fallback_model=agent.fallback_model,
        permission_mode=agent.permission_mode,
        thinking_tokens=ask.thinking_tokens,
    )


def _unknown(conversation_id: str) -> ConversationUnknown:
    return ConversationUnknown(
        f'Conversation "{conversation_id}" does not exist. '
        "Leave conversation_id out to begin one."
    )
