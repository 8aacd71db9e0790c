# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks that are said to run and do not: their worker was killed, cut off, or left.

Each is asked for its end; one that has none yet is asked again, one that has none at
all runs again, or fails with the reason when it was begun often enough.
"""

from __future__ import annotations

import asyncio

from agentd.database.task_logs import TaskLogLine, add_log
from agentd.database.task_runs import running_tasks, store_ends
from agentd.database.tasks import get_task
from agentd.database.writer import Transaction
from agentd.errors import AgentdError, DatabaseFailed
from agentd.log import get_log
from agentd.queue.dispatcher import Dispatcher
from agentd.queue.parts import QueueParts
from agentd.queue.values import Task, TaskEnd
from agentd.queue.workers import CANCELLED, Workers

# Of the time after which a host is lost, so that it ends its tasks before that.
FENCE_SHARE = 1 / 2
# Of the same: how long one look may take.
PATIENCE_SHARE = 1 / 6
LOOK_SECONDS, LOOK_SECONDS_ALONE = 1.0, 5.0
# What was claimed a moment ago is about to be begun.
YOUNG_SECONDS = 5.0
ASK_SECONDS = 10.0
GRACE_SECONDS = 60.0

log = get_log("queue")


def is_orphan(task: Task, instance: str, now: float) -> bool:
    """Return whether a task, which no worker of this process runs, has none at all.

    Given are tasks of this host and of those that were lost.
    """
    if task.worker != instance:
        return True
    return task.started_at is None or now - task.started_at > YOUNG_SECONDS


def end_of_orphan(task: Task, told: TaskEnd, most: int) -> TaskEnd:
    """Return what becomes of a task of which the end is told."""
    if told.status != "queued":
        return told
    if task.cancel_requested:
        return TaskEnd("cancelled", error=CANCELLED)
    if task.attempts >= most:
        return TaskEnd(
            "failed",
            error=f"Its worker went away in attempt {task.attempts} of {most} "
            "(task_max_attempts), and it was not brought to its end.",
        )
    return TaskEnd("queued")


class Repair:
    """Looks for such tasks, and for those that are to be cancelled here."""

    def __init__(
        self, parts: QueueParts, workers: Workers, dispatcher: Dispatcher
    ) -> None:
        self._parts = parts
        self._workers = workers
        self._dispatcher = dispatcher
        self._asked: dict[str, float] = {}
        self._seen = parts.clock.monotonic()

    async def run(self) -> None:
        """Look until cancelled, the first time at once."""
        alone = self._parts.presence.alone
        while True:
            try:
                await self._look()
            except (DatabaseFailed, TimeoutError) as error:
                log.warning("queue_not_repaired", error=str(error) or "no answer")
                self._fence()
            # Of a turn that goes on alone, the end may come any moment.
            idle = alone and not self._asked
            await asyncio.sleep(LOOK_SECONDS_ALONE if idle else LOOK_SECONDS)

    def _fence(self) -> None:
        """Break off what runs before others find this host lost and run it too."""
        presence = self._parts.presence
        away = self._parts.clock.monotonic() - self._seen
        most = self._parts.settings.worker_lost_seconds * FENCE_SHARE
        if away > most and len(presence.hosts()) > 1 and len(self._workers):
            log.error("tasks_broken_off", reason="The database is away for too long.")
            self._workers.break_off()

    async def _look(self) -> None:
        presence = self._parts.presence
        asked = None if presence.alone else {presence.name, *presence.lost()}
        patience = self._parts.settings.worker_lost_seconds * PATIENCE_SHARE
        async with asyncio.timeout(max(patience, LOOK_SECONDS)):
            async with self._parts.database.read() as connection:
                found = await connection.run_sync(running_tasks, asked)
        self._seen = self._parts.clock.monotonic()
        orphans = []
        for task in found:
            if task.id in self._workers:
                if task.cancel_requested:
                    self._workers.cancel(task.id)
            elif not self._dispatcher.keeps_end(task.id) and is_orphan(
                task, presence.instance, self._parts.clock.now()
            ):
                orphans.append(task)
        now = self._parts.clock.monotonic()
        self._asked = {one.id: self._asked.get(one.id, now) for one in orphans}
        for task in orphans:
            await self._ask(task)

    async def _ask(self, task: Task) -> None:
        """Store a task's end, unless it may still come."""
        told: TaskEnd | None = None
        try:
            async with asyncio.timeout(ASK_SECONDS):
                told = await self._parts.runner.end_of(task)
        except DatabaseFailed:
            # Whoever waits here for each of many is fenced too late.
            raise
        except (AgentdError, TimeoutError) as error:
            log.warning("task_end_unknown", task=task.id, error=str(error))
        waited = self._parts.clock.monotonic() - self._asked[task.id]
        if told is None or told.status == "running":
            if waited < self._parts.settings.drain_seconds + GRACE_SECONDS:
                return
            told = TaskEnd("queued")
        end = end_of_orphan(task, told, self._parts.settings.task_max_attempts)
        line = TaskLogLine(self._parts.clock.now(), f"repaired_{end.status}", end.error)

        def deed(connection: Transaction) -> tuple[TaskEnd, Task | None]:
            [(_task, became)] = store_ends(connection, [(task, end)], line.at)
            add_log(connection, task.id, line)
            return became, get_task(connection, task.id)

        end, stored = await self._parts.database.do(deed)
        if stored is not None and stored.status == end.status:
            log.warning(
                "task_repaired", task=task.id, status=end.status, host=task.host
            )
            self._dispatcher.repaired(task, end)
