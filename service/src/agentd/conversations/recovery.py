# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Turns that ran when control or its agent went away: found out about, and stored.

A conversation is refused only while its agent says that the turn still runs, and
no longer than an agent's side lets a turn run on alone.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from agentd.conversations.locks import Locks
from agentd.conversations.parts import TurnParts
from agentd.conversations.proof import ask_turn_state
from agentd.conversations.worktree import leave_after
from agentd.database.claims import demand_open, end_turn
from agentd.database.conversations import IDLE, Conversation, Message
from agentd.database.interrupted import (
    UNSETTLED,
    InterruptedTurn,
    mark_settled,
    take_over,
)
from agentd.database.sessions import mark_durable
from agentd.database.writer import Transaction
from agentd.engine.mirror_store import Binding
from agentd.errors import (
    AgentdError,
    AgentLost,
    AgentUnavailable,
    CallTimedOut,
    ConversationBusy,
    ConversationElsewhere,
    DatabaseFailed,
)
from agentd.log import get_log
from agentd.sessions.identity import StoredSession, new_message_id
from agentd.sessions.turn_state import Recovered, not_recovered, recovered

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
ABSENT_PAUSE_SECONDS = 0.25
LOST_PAUSE_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 60.0
GRACE_SECONDS = 10.0
MAX_DRAIN_SECONDS = 7200.0
NO_ID = "its message has no id."
STILL_RUNS = "after {seconds:g} seconds the agent's side still says that it runs."
NO_ANSWER = "the agent's side does not answer."
LOST_HOST = 'its host "{}" was lost.'

log = get_log("recovery")


class Recovery:
    """The turns of which the end is not known yet."""

    def __init__(self, parts: TurnParts, locks: Locks, drain_seconds: float) -> None:
        self._parts = parts
        self._locks = locks
        self._drain_seconds = drain_seconds
        self._pending: dict[str, InterruptedTurn] = {}
        self._first_asked: dict[str, float] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._added: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def add(self, turns: Iterable[InterruptedTurn]) -> None:
        """Take turns that the database does not know the end of."""
        for turn in turns:
            self._pending[turn.key.conversation_id] = turn
            self._added[turn.key.agent].set()

    def forget(self, conversation_id: str) -> None:
        """Forget a conversation that was removed."""
        self._pending.pop(conversation_id, None)
        self._first_asked.pop(conversation_id, None)

    async def settle(self, conversation_id: str) -> bool:
        """Find out about a conversation that is to be used now, if need be.

        The caller holds its lock. Return False if nothing could be found out, for
        its agent is not connected; raise ConversationBusy while its turn still runs.
        """
        if conversation_id not in self._pending:
            return True
        async with self._asking[conversation_id]:
            turn = self._pending.get(conversation_id)
            if turn is None or await self._recover(turn):
                return True
            if not self._is_connected(turn.key.agent):
                return False
        raise ConversationBusy(
            f'Conversation "{conversation_id}" is in a turn that began before '
            "control was restarted. Wait for its answer and try again."
        )

    async def run(self) -> None:
        """Find out about every turn, each agent's in their order, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for agent in self._parts.spawner.states():
                tasks.create_task(self._run(agent), name=f"recovery {agent}")
            if self._parts.database.shared:
                tasks.create_task(self._run_lost(), name="recovery of lost hosts")

    async def take_over(self, found: Conversation | None) -> bool:
        """Settle a turn that runs at another host; return False if none does.

        Raise ConversationBusy if that host lives.
        """
        if found is None or found.status not in UNSETTLED:
            return False
        if found.host in {None, self._parts.host.name}:
            return False
        if found.host not in self._parts.host.lost():
            raise ConversationBusy(
                f'Conversation "{found.id}" is in a turn at host "{found.host}". Wait '
                "for its answer and try again.",
                found.id,
            )
        await self._take_over()
        return await self.settle(found.id)

    async def _run_lost(self) -> None:
        """Settle what lost hosts left, until cancelled."""
        clock, looked, due = self._parts.clock, frozenset[str](), 0.0
        while True:
            await asyncio.sleep(LOST_PAUSE_SECONDS)
            lost = self._parts.host.lost()
            looked &= lost
            # A host that is gone for good must not cost a look each time.
            if lost <= looked and clock.monotonic() < due:
                continue
            try:
                for turn in await self._take_over():
                    await self._attempt(turn)
                looked, due = lost, clock.monotonic() + LOOK_AGAIN_SECONDS
            except DatabaseFailed as error:
                log.warning("lost_turns_not_settled", error=str(error))

    async def _take_over(self) -> list[InterruptedTurn]:
        lost = self._parts.host.lost_hosts()
        if not lost:
            return []
        agents = list(self._parts.spawner.states())
        me = self._parts.host.name
        turns = await self._parts.database.do(
            lambda connection: take_over(connection, me, lost, agents)
        )
        if turns:
            log.warning("turns_of_lost_hosts", count=len(turns))
        self.add(turns)
        return turns

    async def _run(self, agent: str) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            mine = [turn for turn in self._pending.values() if turn.key.agent == agent]
            if not mine:
                self._added[agent].clear()
                pause = FIRST_PAUSE_SECONDS
                await self._added[agent].wait()
                continue
            if not self._is_connected(agent):
                pause = FIRST_PAUSE_SECONDS
                await asyncio.sleep(ABSENT_PAUSE_SECONDS)
                continue
            for turn in mine:
                await self._attempt(turn)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _attempt(self, turn: InterruptedTurn) -> None:
        conversation_id = turn.key.conversation_id
        async with self._asking[conversation_id]:
            # Whoever holds the conversation finds out about it first.
            held = self._locks.holds(conversation_id)
            if held or conversation_id not in self._pending:
                return
            try:
                await self._recover(turn)
            except DatabaseFailed as error:
                log.warning("turn_not_recovered", error=str(error))

    async def _recover(self, turn: InterruptedTurn) -> bool:
        """Store what became of the turn; return False if that cannot be told yet."""
        end = await self._find_end(turn)
        if end is None:
            return False
        keeping, session_id = self._parts.keeping, turn.session_id
        if keeping is not None and end.in_transcript and session_id is not None:
            # Before its answer is told: whoever goes on from there has it.
            binding = Binding(turn.key.agent, turn.key.conversation_id, session_id)
            await keeping.prove(binding, end.last_uuid)
        # Before the next turn may begin, which holds its work directory by this name.
        await leave_after(self._parts, turn.key)
        try:
            await self._store(turn, end)
        except ConversationElsewhere as error:
            log.warning("turn_went_on_elsewhere", error=str(error))
            self.forget(turn.key.conversation_id)
            return True
        self.forget(turn.key.conversation_id)
        log.info(
            "turn_recovered",
            agent=turn.key.agent,
            conversation=turn.key.conversation_id,
            status=end.status,
        )
        return True

    async def _find_end(self, turn: InterruptedTurn) -> Recovered | None:
        if turn.session_id is None or turn.turn_uuid is None or turn.lost_host:
            lost = turn.lost_host
            return not_recovered(LOST_HOST.format(lost) if lost else NO_ID)
        agent, conversation_id = turn.key.agent, turn.key.conversation_id
        if not self._is_connected(agent):
            return None
        if self._parts.engine.live(conversation_id) is not None:
            # Its CLI would count as one in which the turn still runs.
            await self._parts.engine.close(conversation_id)
        now = self._parts.clock.monotonic()
        waited = now - self._first_asked.setdefault(conversation_id, now)
        limit = self._limit(agent)
        reason = STILL_RUNS.format(seconds=limit)
        try:
            state = await ask_turn_state(
                self._parts.spawner, agent, turn.session_id, turn.turn_uuid
            )
            # One that ended and left a process behind has its answer all the same.
            if not state.running or (waited > limit and state.ended):
                return recovered(state)
        except (AgentUnavailable, AgentLost):
            return None
        except CallTimedOut:
            reason = NO_ANSWER
        except AgentdError as error:
            return not_recovered(str(error))
        return not_recovered(reason) if waited > limit else None

    def _limit(self, agent: str) -> float:
        """Return how long the agent's side may let a turn run on alone."""
        told = self._parts.spawner.states()[agent].report.get("drain_seconds")
        known = isinstance(told, int | float) and 0 <= told <= MAX_DRAIN_SECONDS
        seconds = float(told) if known else self._drain_seconds  # type: ignore[arg-type]
        return seconds + GRACE_SECONDS

    async def _store(self, turn: InterruptedTurn, end: Recovered) -> None:
        now = self._parts.clock.now()
        message = Message(
            id=new_message_id(),
            conversation_id=turn.key.conversation_id,
            role="assistant",
            content=end.content,
            status=end.status,
            created_at=now,
            turn_uuid=turn.turn_uuid,
            last_message_uuid=end.last_uuid,
            persisted=end.in_transcript,
        )

        def store(connection: Transaction) -> None:
            claim = self._parts.claim()
            demand_open(connection, turn.key.conversation_id, claim)
            if turn.told and end.status != "recovered":
                mark_settled(connection, turn)
            else:
                end_turn(connection, message, IDLE, claim)
            if end.in_transcript and turn.session_id is not None:
                session = StoredSession(
                    turn.session_id, durable=True, last_message_uuid=end.last_uuid
                )
                mark_durable(connection, turn.key, session, now)

        await self._parts.database.do(store)

    def _is_connected(self, agent: str) -> bool:
        state = self._parts.spawner.states().get(agent)
        return state is not None and state.connected
