# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Takes tasks for the places that are free, and stores how runs ended.

One transaction does both: a round stores the ends that wait and claims what their
places can take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from agentd.database.task_runs import Worker
from agentd.database.tasks import QUEUED
from agentd.errors import DatabaseFailed, QueueUnavailable
from agentd.log import get_log
from agentd.queue.dead import tell
from agentd.queue.parts import QueueParts
from agentd.queue.places import Limits, Places
from agentd.queue.rounds import End, Round, store_and_claim
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

log = get_log("queue")


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
        self.worker = Worker(parts.presence.name, parts.presence.instance)
        self._agents = [agent.name for agent in settings.agents]
        limits = Limits(
            settings.max_running_tasks, settings.max_running_tasks_per_agent
        )
        self.places = Places(self._agents, limits)
        self._poll_seconds = (
            POLL_SECONDS_ALONE if parts.presence.alone else POLL_SECONDS
        )
        if feed is not None:
            self._poll_seconds = POLL_SECONDS_BESIDE
        self._wake = asyncio.Event()
        self._ends: list[End] = []
        self._hand: list[Item] = []
        # Of these nothing waits, as far as is known; and of those news came since.
        self._quiet: set[str] = set()
        self._news: set[str] = set()
        self._looking = False
        self._due: list[float] = []
        self._polled = float("-inf")
        self._table_gave = False
        self._last: str | None = None
        self.stored = asyncio.Event()
        self.stored.set()
        self.paused = False
        self.problem: str | None = None

    @property
    def connected(self) -> bool:
        """Return whether tasks travel through Redis now."""
        return self._feed is not None and self._feed.reachable

    def reserve(self, agent: str) -> bool:
        """Take a place for a task that is just accepted; return whether it has one.

        It has one if nothing waits that could come before it, as far as is known.
        """
        # A round that looks counts on the places that were free when it began.
        looks = self._looking or bool(self._hand)
        free = agent in self._quiet and not looks and not self.paused
        return free and self.places.take(agent)

    def begin_reserved(self, task: Task) -> None:
        """Run a task that was claimed for a place that it has."""
        self._last = task.agent
        self._begin(task)

    def hint(self, agent: str, available_at: float | None = None) -> None:
        """Look into the queue of an agent, now or when a task of it may begin."""
        now = self._parts.clock.now()
        due = now if available_at is None else max(now, available_at)
        if due > now or self._feed is not None:
            self._due.append(due)
        self._hear({agent})

    def wake(self) -> None:
        """Look whether more was published."""
        self._hear(self._agents)

    def look(self) -> None:
        """Look whether the table has more."""
        self._polled = float("-inf")
        self._hear(self._agents)

    def _hear(self, agents: Collection[str]) -> None:
        self._quiet.difference_update(agents)
        self._news.update(agents)
        self._wake.set()

    def end(self, task: Task, end: TaskEnd | None) -> None:
        """Free a task's place and store its end; None is told by nobody yet."""
        self.places.free(task.agent)
        if end is not None:
            self._ends.append((task, end))
            self.stored.clear()
        elif self._feed is not None:
            self._feed.release(task.id)
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
        self._news = set()
        try:
            wish, asked = await self._wish()
            if not wish.asks:
                self._note(asked, ())
                return
            # A server that crashed forgets what was not synced, and this process lives
            # on: it would run such a task again. Of a file it is the last to know.
            outcome = await self._parts.database.do(
                partial(store_and_claim, wish=wish),
                synced=bool(wish.ends) or self._parts.database.shared,
            )
            self._settle(outcome.ends, wish.now)
            self._hand = []
            tell(outcome.dead, self._parts.watch)
            if self._feed is not None:
                self._feed.drop(outcome.rest)
            self._start(outcome.claimed, wish.items)
            if wish.items:
                # Of the same agents there may be more.
                asked = []
            self._table_gave = bool(wish.agents and outcome.claimed)
            self._note(asked, [task.agent for task in outcome.claimed])
            if outcome.claimed or wish.items or self._ends:
                self._wake.set()
        finally:
            self._looking = False

    async def _wish(self) -> tuple[Round, list[str]]:
        """Return what this round does, and of which agents it hears all there is."""
        polls, away = self._poll_is_due(), self._feed is None or not self.connected
        if polls:
            # What came without a word to us, e.g. what is no task, waits too.
            self._quiet.clear()
        ends = self._ends[:MAX_ENDS]
        may = not self.paused and len(self._ends) <= MAX_ENDS
        free = self.places.open_agents(self._last) if may else []
        asked = [one for one in free if one not in self._quiet]
        self._looking = bool(free if polls else asked)
        items: list[Item] = []
        table: list[str] = []
        if self._hand:
            items, asked = self._hand, []
        elif away:
            table = asked
        elif polls:
            # Redis is asked behind the table.
            self._wake.set()
            table, asked = free, []
        elif asked:
            items = await self._take(asked)
        now = self._parts.clock.now()
        wish = Round(
            ends=ends,
            items=items,
            agents=table,
            published_before=None if away else now - GRACE_SECONDS,
            running=self.places.running(),
            limits=self.places.limits,
            worker=self.worker,
            now=now,
        )
        return wish, asked

    def _note(self, asked: Sequence[str], found: Collection[str]) -> None:
        """Note of which agents nothing waits, as far as is known."""
        # Without a place left, some of them were not asked for at all.
        if self.places.left > 0:
            self._quiet |= set(asked) - set(found) - self._news

    def _settle(self, ends: Sequence[End], now: float) -> None:
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

    def _start(self, claimed: Sequence[Task], items: Sequence[Item]) -> None:
        of_task = {one.task_id: one for one in items}
        for task in claimed:
            self.places.fill(task.agent)
            self._last = task.agent
            if self._feed is not None and task.id in of_task:
                self._feed.hold(task.id, of_task[task.id])
            self._begin(task)

    async def _take(self, agents: list[str]) -> list[Item]:
        """Return messages for the places that are free."""
        assert self._feed is not None
        places = [(one, self.places.left_of(one)) for one in agents]
        try:
            self._hand = await self._feed.take(self.places.left, places)
        except QueueUnavailable:
            self.look()
            return []
        if not self._hand and self._table_gave:
            # What the table had that Redis had not may be more.
            self._table_gave = False
            self._polled = float("-inf")
            self._wake.set()
        return self._hand

    def _poll_is_due(self) -> bool:
        """Return whether to ask the table for what nobody told of; note when."""
        clock = self._parts.clock
        now = clock.now()
        if clock.monotonic() < self._polled + self._poll_seconds and not any(
            due <= now for due in self._due
        ):
            return False
        self._polled = clock.monotonic()
        self._due = [due for due in self._due if due > now]
        return True
