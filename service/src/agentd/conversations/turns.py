# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Turns: begun under the conversation's lock, run to their end, proved and stored.

A turn belongs to the service, not to the request that began it: a caller that goes
away changes nothing, and finds the answer among the conversation's messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from agentd.conversations.boot_scan import BootScan
from agentd.conversations.clearing import clear
from agentd.conversations.locks import Locks
from agentd.conversations.parts import TurnParts
from agentd.conversations.prepare import Preparation, new_turn
from agentd.conversations.recovery import Recovery
from agentd.conversations.resting import Resting
from agentd.conversations.run import TurnRun
from agentd.conversations.strays import Strays
from agentd.conversations.target import Known
from agentd.conversations.values import Ask, RunningTurn
from agentd.database.agents import list_unproved
from agentd.database.conversations import get_conversation_of_issue
from agentd.database.interrupted import InterruptedTurn, mark_interrupted
from agentd.database.writer import Transaction
from agentd.errors import AgentUnavailable, Draining
from agentd.log import get_log
from agentd.sessions.identity import new_conversation_id, new_session_id
from agentd.sessions.keys import encode_key
from agentd.settings import ControlSettings

HAND_OVER_SECONDS = 10.0
UNSETTLED = (
    'Cannot go on in conversation "{}": control was restarted during a turn of it, '
    "and its agent's side, which knows the end, is not connected. Start its container "
    "and try again."
)

log = get_log("turns")


class Turns:
    """The turns of every conversation, one at a time in each."""

    def __init__(
        self, settings: ControlSettings, parts: TurnParts, tasks: asyncio.TaskGroup
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._tasks = tasks
        self._locks = Locks()
        self._preparation = Preparation(settings, parts)
        self._recovery = Recovery(parts, self._locks, settings.drain_seconds)
        self.resting = Resting(parts, self._locks, self._recovery, self._preparation)
        self._running: dict[asyncio.Task[None], TurnRun] = {}
        self._beside: list[asyncio.Task[None]] = []
        self._draining = False

    async def start(self) -> None:
        """Find the turns that a stop or a kill cut off, and begin to recover them."""

        def look(
            connection: Transaction,
        ) -> tuple[list[InterruptedTurn], dict[str, float]]:
            mine = None if self._parts.host.alone else self._parts.host.name
            return mark_interrupted(connection, mine), list_unproved(connection)

        interrupted, unproved = await self._parts.database.do(look)
        log.info("interrupted_turns", count=len(interrupted))
        self._parts.unproved.load(unproved)
        self._recovery.add(interrupted)
        self._parts.engine.listen(self._parts.outbox.offer)
        for name, work in (
            ("recovery", self._recovery.run()),
            ("outbox", self._parts.outbox.run()),
            ("work directories", self._parts.workdirs.run()),
            ("boot scan", self._boot_scan().run()),
            ("strays", Strays(self._parts, self._locks, self._recovery).run()),
        ):
            self._beside.append(self._tasks.create_task(work, name=name))

    def _boot_scan(self) -> BootScan:
        repairs = self._settings.repair_transcripts
        return BootScan(self._parts, repairs=repairs)

    @property
    def draining(self) -> bool:
        """Return whether no new turn is taken."""
        return self._draining

    @property
    def running_count(self) -> int:
        """Return how many turns run."""
        return len(self._running)

    def unproved_agents(self) -> Mapping[str, float]:
        """Return the agents of which a turn was not found on disk, and since when.

        An agent is among them until a turn of it is found on disk.
        """
        declared = {agent.name for agent in self._settings.agents}
        since = self._parts.unproved.agents()
        return {name: at for name, at in since.items() if name in declared}

    async def begin(self, ask: Ask) -> RunningTurn:
        """Store the message and begin its turn in a task of its own.

        Raise Draining, ConversationUnknown, ConversationBusy, AgentUnknown,
        AgentUnavailable, EngineBusy or DatabaseFailed, with nothing stored.
        """
        if self._draining:
            raise Draining(
                "Cannot take a message: control is stopping. Try again shortly."
            )
        if ask.conversation_id is not None:
            return await self._begin(ask, ask.conversation_id, is_new=False)
        ask = await self._named(ask)
        issue = ask.issue_of(self._preparation.agent_name(ask))
        if issue is None:
            named = ask.new_conversation_id or new_conversation_id()
            return await self._begin(ask, named, is_new=True)
        # Two that ask at once about an issue without a conversation begin one.
        key = encode_key(issue)
        self._locks.take(key, f'Issue "{issue.issue}" of "{issue.repository}"')
        try:
            async with self._parts.database.read() as connection:
                found = await get_conversation_of_issue(connection, issue)
            named = new_conversation_id() if found is None else found.id
            return await self._begin(ask, named, is_new=found is None)
        finally:
            self._locks.release(key)

    async def _named(self, ask: Ask) -> Ask:
        """Return what is asked with the repository named as it is stored.

        A conversation that has it as the caller wrote it is found under that.
        """
        stored = ask.repository and self._parts.workdirs.naming.stored(ask.repository)
        if stored == ask.repository:
            return ask
        issue = ask.issue_of(self._preparation.agent_name(ask))
        if issue is not None:
            async with self._parts.database.read() as connection:
                if await get_conversation_of_issue(connection, issue) is not None:
                    return ask
        return replace(ask, repository=stored)

    async def break_off(self, turn_uuid: str, why: str) -> None:
        """End a turn before its answer, and wait until that is stored as why."""
        running = self._running.items()
        found = [task for task, run in running if run.turn.turn_uuid == turn_uuid]
        for task in found:
            self._running[task].broken_off = why
            task.cancel()
        if found:
            await asyncio.wait(found)

    async def drain(self, seconds: float) -> int:
        """Take no new turn, let running ones end; return how many did not."""
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._locks.quiet.wait()
        return len(self._running)

    async def hand_over(self) -> int:
        """Leave what still runs to the agents' sides, and tell the callers.

        Return how many turns that were. Their ends are found at the next start.
        """
        self._draining = True
        count = await self._parts.engine.hand_over()
        if self._running:
            await asyncio.wait(self._running, timeout=HAND_OVER_SECONDS)
        await self.cancel()
        return count

    async def cancel(self) -> None:
        """Break off the turns that still run and wait until they are stored."""
        self._draining = True
        tasks = [*self._running, *self._beside]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _begin(
        self, ask: Ask, conversation_id: str, *, is_new: bool
    ) -> RunningTurn:
        self._lock(conversation_id)
        try:
            if not await self._recovery.settle(conversation_id):
                raise AgentUnavailable(UNSETTLED.format(conversation_id))
            target = await self._preparation.find(ask, conversation_id, is_new=is_new)
            if await self._recovery.take_over(target.last):
                find = self._preparation.find
                target = await find(ask, conversation_id, is_new=False)
            if ask.clears:
                fresh = self._preparation.new_session(target, new_session_id())
                turn = new_turn(target.key, fresh.session_id, self._settings)
                await clear(self._parts, target, ask, turn, fresh)
                self._preparation.forget(conversation_id)
                self._locks.release(conversation_id)
                return turn
            run = await self._preparation.prepare(ask, target)
        except BaseException:
            self._locks.release(conversation_id)
            raise
        self._start(run)
        await asyncio.shield(run.turn.begun)
        return run.turn

    def _start(self, run: TurnRun) -> None:
        conversation_id = run.turn.conversation_id
        task = self._tasks.create_task(run.run(), name=f"turn {conversation_id}")
        self._running[task] = run
        task.add_done_callback(lambda task: self._running.pop(task, None))
        # The lock is given back by the task's end and by nothing in the task, so
        # that no error and no cancellation can keep it.
        task.add_done_callback(lambda _task: self._end(run))

    def _end(self, run: TurnRun) -> None:
        conversation_id = run.turn.conversation_id
        run.tell_cut_off()
        self._preparation.forget(conversation_id)
        if (left := run.left()) is not None:
            # At a stop the next start looks after it.
            if not self._draining:
                self._recovery.add([left])
        elif run.begun:
            tree, definition = run.worktree.tree, run.wish.definition
            known = Known(run.turn.agent, run.session, definition, tree=tree)
            self._preparation.note(conversation_id, known)
        self._locks.release(conversation_id)

    def _lock(self, conversation_id: str) -> None:
        self._locks.take(
            conversation_id,
            f'Conversation "{conversation_id}"',
            conversation_id=conversation_id,
        )
