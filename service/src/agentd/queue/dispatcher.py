# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Takes tasks for the places that are free, and stores how runs ended.

One transaction does both: a round stores the ends that wait and claims what their
places can take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentd.database.task_logs import DeadItem
from agentd.database.task_runs import (
    Wanted,
    Worker,
    claim_ids,
    claim_next,
    store_ends,
    waiting_agents,
)
from agentd.database.tasks import QUEUED
from agentd.database.writer import Transaction
from agentd.errors import DatabaseFailed
from agentd.log import get_log
from agentd.queue.dead import bury, tell
from agentd.queue.parts import QueueParts
from agentd.queue.places import Limits, rotated, take_fairly
from agentd.queue.stream_items import Item
from agentd.queue.values import Task, TaskEnd

if TYPE_CHECKING:
    # Whoever has no Redis does not carry its client.
    from agentd.queue.feed import Feed

# How often the table is asked for what nobody told of: one process alone knows all.
POLL_SECONDS, POLL_SECONDS_ALONE, POLL_SECONDS_BESIDE = 1.0, 5.0, 2.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.1, 2.0
# Ends that may wait while the database is away before nothing more is begun.
MAX_ENDS = 100

# A message that was published before that should have been taken: the table is asked.
GRACE_SECONDS = 5.0

End = tuple[Task, TaskEnd]
log = get_log("queue")


@dataclass(frozen=True)
class Outcome:
    """What a round claimed, which messages were of no use, and which of no task."""

    claimed: list[Task]
    rest: list[Item]
    dead: tuple[DeadItem, ...]


class Dispatcher:
    """The loop between the table of tasks and the places of this host."""

    def __init__(
        self,
        parts: QueueParts,
        begin: Callable[[Task], None],
        ended: Callable[[Task, TaskEnd], None],
        feed: Feed | None = None,
    ) -> None:
        settings = parts.settings
        self._parts = parts
        self._begin = begin
        self._ended = ended
        self._feed = feed
        self._worker = Worker(parts.presence.name, parts.presence.instance)
        self._limits = Limits(
            settings.max_running_tasks, settings.max_running_tasks_per_agent
        )
        self._agents = [agent.name for agent in settings.agents]
        self._poll_seconds = (
            POLL_SECONDS_ALONE if parts.presence.alone else POLL_SECONDS
        )
        if feed is not None:
            self._poll_seconds = POLL_SECONDS_BESIDE
        self._wake = asyncio.Event()
        self._ends: list[End] = []
        self._hand: list[Item] = []
        self._hints: set[str] = set()
        self._due: list[float] = []
        self._polled = float("-inf")
        self._table_gave = False
        self._last: str | None = None
        self._running: dict[str, int] = {}
        self.stored = asyncio.Event()
        self.stored.set()
        self.paused = False
        self.problem: str | None = None

    @property
    def worker(self) -> Worker:
        """Return as whom tasks are taken here."""
        return self._worker

    def running(self) -> Mapping[str, int]:
        """Return how many tasks of each agent run."""
        return dict(self._running)

    def hint(self, agent: str, available_at: float | None = None) -> None:
        """Look into the queue of an agent, now or when a task of it may begin."""
        now = self._parts.clock.now()
        due = now if available_at is None else max(now, available_at)
        if due > now or self._feed is not None:
            self._due.append(due)
        self._hints.add(agent)
        self._wake.set()

    def wake(self) -> None:
        """Look whether more was published."""
        self._wake.set()

    def look(self) -> None:
        """Look whether the table has more."""
        self._polled = float("-inf")
        self._wake.set()

    def end(self, task: Task, end: TaskEnd | None) -> None:
        """Free a task's place and store its end; None is told by nobody yet."""
        left = self._running.get(task.agent, 0) - 1
        self._running[task.agent] = left
        if left <= 0:
            del self._running[task.agent]
        if end is not None:
            self._ends.append((task, end))
            self.stored.clear()
        elif self._feed is not None:
            self._feed.release(task.id)
        self._hints.add(task.agent)
        self._wake.set()

    def keeps_end(self, task_id: str) -> bool:
        """Return whether a task's end waits to be stored."""
        return any(task.id == task_id for task, _end in self._ends)

    def repaired(self, task: Task, end: TaskEnd) -> None:
        """Note that the end of a task that had no worker was stored."""
        if end.status == QUEUED:
            self.hint(task.agent)
        else:
            self._ended(task, end)

    async def run(self) -> None:
        """Take and store until cancelled."""
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._round()
            except DatabaseFailed as error:
                if self.problem is None:
                    log.error("queue_without_database", error=str(error))
                self.problem = str(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_RETRY_SECONDS)
                continue
            if self.problem is not None:
                log.info("queue_with_database_again")
            self.problem = None
            pause = FIRST_RETRY_SECONDS
            await self._wait()

    async def _wait(self) -> None:
        """Wait for something to do, the next poll, or the time of a task."""
        clock = self._parts.clock
        seconds = self._polled + self._poll_seconds - clock.monotonic()
        if self._due:
            seconds = min(seconds, min(self._due) - clock.now())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0, seconds)):
                await self._wake.wait()

    async def _round(self) -> None:
        self._wake.clear()
        ends = self._ends[:MAX_ENDS]
        agents = self._open_agents()
        asks_table = self._asks_table()
        items = [] if asks_table else await self._take(agents)
        table = self._wanted(agents) if asks_table else []
        if asks_table and agents and not self._feed_is_away():
            # Redis is asked behind the table.
            self._wake.set()
        if not (ends or items or table):
            return
        now = self._parts.clock.now()
        running = self.running()
        before = None if self._feed_is_away() else now - GRACE_SECONDS
        ids = [one.task_id for one in items if one.task_id is not None]

        def deed(connection: Transaction) -> Outcome:
            store_ends(connection, ends, now)
            told = claim_ids(connection, self._worker, ids, now)
            found = take_fairly(
                waiting_agents(connection, table, now, before),
                running,
                self._limits,
                lambda agent, count: claim_next(
                    connection, self._worker, Wanted(agent, count, before), now
                ),
            )
            taken = {task.id for task in told}
            rest = [one for one in items if one.task_id not in taken]
            return Outcome(told + found, rest, bury(connection, rest, now))

        outcome = await self._parts.database.do(deed, synced=bool(ends))
        self._settle(ends, now)
        self._hand = []
        self._table_gave = bool(table and outcome.claimed)
        self._hints -= set(table) - {task.agent for task in outcome.claimed}
        tell(outcome.dead, self._parts.watch)
        if self._feed is not None:
            self._feed.drop(outcome.rest)
        self._start(outcome.claimed, items)
        if outcome.claimed or items or self._ends:
            self._wake.set()

    def _settle(self, ends: list[End], now: float) -> None:
        """Note that ends are stored."""
        del self._ends[: len(ends)]
        if not self._ends:
            self.stored.set()
        for task, end in ends:
            if end.status == QUEUED:
                self.hint(task.agent, now + (end.again_seconds or 0))
            if self._feed is not None:
                self._feed.release(task.id)
            self._ended(task, end)

    def _start(self, claimed: list[Task], items: list[Item]) -> None:
        of_task = {one.task_id: one for one in items}
        for task in claimed:
            self._running[task.agent] = self._running.get(task.agent, 0) + 1
            self._last = task.agent
            if self._feed is not None and task.id in of_task:
                self._feed.hold(task.id, of_task[task.id])
            self._begin(task)

    async def _take(self, agents: list[str]) -> list[Item]:
        """Return messages for the places that are free, first those still in hand."""
        if self._hand or not agents or self._feed is None:
            return self._hand
        left = self._limits.in_all - sum(self._running.values())
        places = [
            (one, self._limits.of_one - self._running.get(one, 0)) for one in agents
        ]
        self._hand = await self._feed.take(left, places)
        if not self._hand and self._table_gave:
            # What the table had that Redis had not may be more.
            self._polled = float("-inf")
            self._wake.set()
        return self._hand

    def _feed_is_away(self) -> bool:
        return self._feed is None or not self._feed.reachable

    def _asks_table(self) -> bool:
        """Return whether this round asks the table, not Redis; note when it did."""
        if self._hand:
            return False
        clock = self._parts.clock
        now = clock.now()
        if clock.monotonic() >= self._polled + self._poll_seconds or any(
            due <= now for due in self._due
        ):
            self._polled = clock.monotonic()
            self._due = [due for due in self._due if due > now]
            self._hints.update(self._agents)
            return True
        return self._feed_is_away()

    def _open_agents(self) -> list[str]:
        """Return the agents that have a place, in the order of their turn."""
        full = sum(self._running.values()) >= self._limits.in_all
        if self.paused or full or len(self._ends) > MAX_ENDS:
            return []
        return [
            one
            for one in rotated(self._agents, self._last)
            if self._running.get(one, 0) < self._limits.of_one
        ]

    def _wanted(self, agents: list[str]) -> list[str]:
        return [one for one in agents if one in self._hints]
