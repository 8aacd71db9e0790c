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

from agentd.database.task_runs import Wanted, Worker, claim_next, store_ends
from agentd.database.writer import Transaction
from agentd.errors import DatabaseFailed
from agentd.log import get_log
from agentd.queue.parts import QueueParts
from agentd.queue.places import Limits, rotated, take_fairly
from agentd.queue.values import Task, TaskEnd

# How often the table is asked for what nobody told of: one process alone knows all.
POLL_SECONDS, POLL_SECONDS_ALONE = 1.0, 5.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.1, 2.0
# Ends that may wait while the database is away before nothing more is begun.
MAX_ENDS = 100

End = tuple[Task, TaskEnd]
log = get_log("queue")


class Dispatcher:
    """The loop between the table of tasks and the places of this host."""

    def __init__(
        self,
        parts: QueueParts,
        begin: Callable[[Task], None],
        ended: Callable[[Task, TaskEnd], None],
    ) -> None:
        settings = parts.settings
        self._parts = parts
        self._begin = begin
        self._ended = ended
        self._worker = Worker(parts.presence.name, parts.presence.instance)
        self._limits = Limits(
            settings.max_running_tasks, settings.max_running_tasks_per_agent
        )
        self._agents = [agent.name for agent in settings.agents]
        self._poll_seconds = (
            POLL_SECONDS_ALONE if parts.presence.alone else POLL_SECONDS
        )
        self._wake = asyncio.Event()
        self._ends: list[End] = []
        self._hints: set[str] = set()
        self._due: list[float] = []
        self._polled = float("-inf")
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
        if available_at is not None and available_at > self._parts.clock.now():
            self._due.append(available_at)
        self._hints.add(agent)
        self._wake.set()

    def look(self) -> None:
        """Look whether more can be taken."""
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
        self._hints.add(task.agent)
        self._wake.set()

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
        self._remind()
        ends = self._ends[:MAX_ENDS]
        agents = self._asked()
        if not ends and not agents:
            return
        now = self._parts.clock.now()
        running = self.running()

        def deed(connection: Transaction) -> list[Task]:
            store_ends(connection, ends, now)
            return take_fairly(
                agents,
                running,
                self._limits,
                lambda agent, count: claim_next(
                    connection, self._worker, Wanted(agent, count), now
                ),
            )

        claimed = await self._parts.database.do(deed, synced=bool(ends))
        del self._ends[: len(ends)]
        if not self._ends:
            self.stored.set()
        self._note(agents, claimed)
        for task, end in ends:
            if end.status == "queued":
                self.hint(task.agent, now + (end.again_seconds or 0))
            self._ended(task, end)
        for task in claimed:
            self._running[task.agent] = self._running.get(task.agent, 0) + 1
            self._last = task.agent
            self._begin(task)
        if claimed or self._ends:
            self._wake.set()

    def _remind(self) -> None:
        clock = self._parts.clock
        now = clock.now()
        if clock.monotonic() >= self._polled + self._poll_seconds or any(
            due <= now for due in self._due
        ):
            self._polled = clock.monotonic()
            self._due = [due for due in self._due if due > now]
            self._hints.update(self._agents)

    def _asked(self) -> list[str]:
        """Return the agents to look for, unless there is no place for any."""
        full = sum(self._running.values()) >= self._limits.in_all
        if self.paused or full or len(self._ends) > MAX_ENDS:
            return []
        return [
            one
            for one in rotated(self._agents, self._last)
            if one in self._hints and self._running.get(one, 0) < self._limits.of_one
        ]

    def _note(self, agents: list[str], claimed: list[Task]) -> None:
        """Forget the hints of agents for which nothing was found."""
        found = {task.agent for task in claimed}
        self._hints -= set(agents) - found
