# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The queue: what is accepted is on disk, is run once and has an end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from agentd.database.task_logs import (
    DeadItem,
    TaskLogLine,
    count_dead,
    select_dead,
    select_logs,
)
from agentd.database.tasks import (
    ask_to_cancel,
    cancel_queued,
    count_queued,
    count_queued_by_agent,
    get_task,
    remove_task,
    select_tasks,
)
from agentd.database.writer import Transaction
from agentd.errors import QueueUnavailable, TaskBusy, TaskUnknown
from agentd.log import get_log
from agentd.queue.accepting import Accepting
from agentd.queue.dispatcher import Dispatcher
from agentd.queue.feed_of import feed_of, tend
from agentd.queue.parts import QueueKind, QueueParts, QueueState
from agentd.queue.repair import Repair
from agentd.queue.values import ENDED, NewTask, Task, TaskEnd, TaskStatus
from agentd.queue.workers import Workers, end_all

# How often the table is asked for an end that another host may have brought about.
LOOK_SECONDS = 0.5
# What a list tells of a prompt or a result, so that many are told in bounded memory.
MAX_TOLD = 10_000

log = get_log("queue")


class Queue:
    """Tasks from their acceptance to their end; the table of tasks is the truth."""

    def __init__(self, parts: QueueParts) -> None:
        self._parts = parts
        self._group = asyncio.TaskGroup()
        self._feed = feed_of(parts)
        self._dispatcher = Dispatcher(parts, self._begin, self._ended, self._feed)
        self._accepting = Accepting(
            parts, self._dispatcher, publishes=lambda: self.connected
        )
        self._workers = Workers(parts, self._group, self._dispatcher.end)
        self._repair = Repair(parts, self._workers, self._dispatcher)
        self._beside: list[asyncio.Task[None]] = []
        self._waiting: dict[str, list[asyncio.Event]] = {}

    async def __aenter__(self) -> Queue:
        await self._group.__aenter__()
        self._start("accepting", self._accepting.run())
        self._start("dispatcher", self._dispatcher.run())
        self._start("repair", self._repair.run())
        if self._feed is not None:
            self._start("hearing", self._feed.hear(self._dispatcher))
            self._start("publishing", self._feed.write(self._dispatcher))
            self._start("tending", tend(self._parts, self._feed))
        return self

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._beside.append(self._group.create_task(work, name=f"queue {name}"))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pause()
        await self._workers.stop()
        await end_all(self._beside)
        try:
            await self._group.__aexit__(kind, error, trace)
        finally:
            if self._feed is not None:
                await self._feed.close()

    async def accept(self, new: NewTask) -> Task:
        """Store a task, which then is run when its time comes.

        It is on disk when this returns; one whose id is known stays as it is. Raise
        AgentUnknown, TaskInvalid, QueueFull or DatabaseFailed, with nothing stored.
        """
        task, begun = await self._accepting.accept(new)
        if begun or task.status != "queued":
            return task
        # Whoever else looks at the agent is told by Redis; a task for later by nobody.
        now = self._parts.clock.now()
        if self._feed is None or not self._feed.publish(task, now):
            self.offer([task])
        return task

    def offer(self, stored: Iterable[Task]) -> None:
        """Have tasks run that a transaction of somebody else's has stored."""
        for task in stored:
            self._dispatcher.hint(task.agent, task.available_at)

    async def cancel(self, task_id: str) -> Task:
        """Cancel a task: at once if it waits, soon if it runs.

        One that ended is returned as it is. Raise TaskUnknown or DatabaseFailed.
        """
        now = self._parts.clock.now()

        def deed(connection: Transaction) -> tuple[bool, bool]:
            waited = cancel_queued(connection, task_id, now)
            return waited, not waited and ask_to_cancel(connection, task_id)

        waited, runs = await self._parts.database.do(deed)
        if runs:
            self._workers.cancel(task_id)
        task = await self.task(task_id)
        if waited:
            self.tell(task, TaskEnd("cancelled"))
        return task

    async def remove(self, task_id: str) -> None:
        """Remove a task with its log; raise TaskUnknown, or TaskBusy while it runs."""
        if await self._parts.database.do(lambda c: remove_task(c, task_id)):
            return
        await self.task(task_id)
        raise TaskBusy(
            f'Cannot remove task "{task_id}": it runs. Cancel it first, or wait for '
            "its end."
        )

    async def task(self, task_id: str) -> Task:
        """Return one task; raise TaskUnknown."""
        async with self._parts.database.read() as connection:
            found = await connection.run_sync(get_task, task_id)
        if found is None:
            raise TaskUnknown(
                f'There is no task "{task_id}". GET /queue lists those that are there.'
            )
        return found

    async def list(
        self,
        *,
        agent: str | None = None,
        status: TaskStatus | None = None,
        schedule_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[Task]:
        """Return tasks, the newest first; long words are cut."""
        asked = {"agent": agent, "status": status, "schedule_id": schedule_id}
        wanted = select_tasks(asked, MAX_TOLD).limit(limit).offset(offset)
        async with self._parts.database.read() as connection:
            rows = await connection.execute(wanted)
            return [Task(**row._mapping) for row in rows]

    async def logs(
        self, task_id: str, limit: int = 500, offset: int = 0
    ) -> Sequence[TaskLogLine]:
        """Return the log of a task, the oldest line first; raise TaskUnknown."""
        await self.task(task_id)
        wanted = select_logs(task_id).limit(limit).offset(offset)
        async with self._parts.database.read() as connection:
            rows = await connection.execute(wanted)
            return [TaskLogLine(row.at, row.event, row.detail) for row in rows]

    async def dead(self, limit: int = 100, offset: int = 0) -> Sequence[DeadItem]:
        """Return what came through the queue and was no task, the newest first."""
        wanted = select_dead().limit(limit).offset(offset)
        async with self._parts.database.read() as connection:
            rows = await connection.execute(wanted)
            return [DeadItem(**row._mapping) for row in rows]

    async def queued(self) -> Mapping[str, int]:
        """Return how many tasks of each agent wait; raise DatabaseFailed."""
        async with self._parts.database.read() as connection:
            return await connection.run_sync(count_queued_by_agent)

    async def length(self) -> int:
        """Return how many tasks wait; -1 while Redis cannot be reached."""
        if self._feed is not None:
            try:
                await self._feed.check()
            except QueueUnavailable as error:
                log.warning("queue_unreachable", error=str(error))
                return -1
        async with self._parts.database.read() as connection:
            return await connection.run_sync(count_queued)

    async def state(self) -> QueueState:
        """Return how the queue is; raise DatabaseFailed."""
        async with self._parts.database.read() as connection:
            dead = await connection.run_sync(count_dead)
        length = await self.length()
        return QueueState(
            kind=self.kind,
            reachable=length >= 0,
            length=length,
            dead=dead,
            paused=self._dispatcher.paused,
            running=self._dispatcher.places.running(),
            problem=self._dispatcher.problem,
        )

    async def finished(self, task_id: str, seconds: float) -> Task:
        """Wait for the end of a task, no longer than that; return how it is then.

        Raise TaskUnknown or DatabaseFailed.
        """
        event = asyncio.Event()
        self._waiting.setdefault(task_id, []).append(event)
        shared = not self._parts.presence.alone
        try:
            async with asyncio.timeout(seconds):
                while (await self.task(task_id)).status not in ENDED:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS if shared else None):
                            await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting[task_id].remove(event)
            if not self._waiting[task_id]:
                del self._waiting[task_id]
        return await self.task(task_id)

    def pause(self) -> None:
        """Begin no further task; what runs goes on, and tasks are still accepted."""
        self._dispatcher.paused = True

    def resume(self) -> None:
        """Begin tasks again."""
        self._dispatcher.paused = False
        self._dispatcher.look()

    @property
    def kind(self) -> QueueKind:
        """Return through what tasks come to their workers."""
        return "database" if self._feed is None else self._feed.kind

    @property
    def connected(self) -> bool:
        """Return whether tasks travel through Redis now."""
        return self._dispatcher.connected

    @property
    def running_count(self) -> int:
        """Return how many tasks run here."""
        return len(self._workers)

    async def drain(self, seconds: float) -> int:
        """Begin nothing new, let what runs end; return how many did not."""
        self.pause()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._workers.quiet.wait()
                await self._dispatcher.stored.wait()
        return len(self._workers)

    def _begin(self, task: Task) -> None:
        self._parts.output.say(
            task.id, "started", {"attempt": task.attempts, "host": task.host}
        )
        self._workers.begin(task)

    def _ended(self, task: Task, end: TaskEnd) -> None:
        if end.status not in ENDED:
            return
        began = task.started_at or task.created_at
        seconds = max(0.0, self._parts.clock.now() - began)
        self._parts.watch.task_ended(task, end, seconds)
        self.tell(task, end)

    def tell(self, task: Task, end: TaskEnd) -> None:
        """Tell those who wait and those who listen that a task ended."""
        self._parts.output.end(
            task.id,
            {
                "status": end.status,
                "result": end.result,
                "error": end.error,
                "cost_usd": end.cost_usd,
            },
        )
        for event in self._waiting.get(task.id, ()):
            event.set()
