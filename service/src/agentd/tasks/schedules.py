# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Schedules: made, changed, removed, and turned into tasks when they are due.

Any host that shares the database may find one due. The transaction that queues its
task moves it on to its next time, so that one alone does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from agentd.clock import Clock
from agentd.conversations.turns import Turns
from agentd.database.open import Database
from agentd.database.runs import runs_of
from agentd.database.schedules import (
    add_schedule,
    count_due,
    due_schedules,
    fire,
    get_schedule,
    list_schedules,
    next_due,
    open_tasks,
    put_schedule,
    queue_run,
    remove_schedule,
)
from agentd.database.writer import Transaction
from agentd.errors import DatabaseFailed, TaskBusy, TaskInvalid, TaskUnknown
from agentd.log import get_log
from agentd.queue.queue import Queue
from agentd.queue.values import Task
from agentd.settings import ControlSettings
from agentd.tasks.place import demand_idle, placed
from agentd.tasks.retention import drop_runs
from agentd.tasks.values import Schedule, ScheduleChange, changed

SHORTEST_SLEEP_SECONDS, LONGEST_SLEEP_SECONDS = 0.01, 30.0
RETRY_SECONDS = 2.0
AT_ONCE = 100
CANCEL_SECONDS = 10.0

log = get_log("schedules")


@dataclass(frozen=True)
class ScheduleParts:
    """What schedules work with."""

    settings: ControlSettings
    database: Database
    queue: Queue
    turns: Turns
    clock: Clock


@dataclass(frozen=True)
class Checked:
    """How many were due, which task came of the first, and how many are left."""

    due: int
    task: Task | None
    left: int


class Schedules:
    """The schedules of this deployment."""

    def __init__(self, parts: ScheduleParts) -> None:
        self._parts = parts
        self._changed = asyncio.Event()

    async def create(self, schedule: Schedule) -> Schedule:
        """Store a new schedule; raise TaskInvalid for what cannot be."""
        now = self._parts.clock.now()
        new = replace(schedule, created_at=now, next_run=schedule.due_first(now))

        def store(connection: Transaction) -> Schedule:
            stored = placed(connection, new, self._parts.settings, now)
            if not add_schedule(connection, stored):
                raise TaskInvalid(
                    f'There is a task "{stored.id}" already. Change it with PUT, '
                    "or leave id out."
                )
            return stored

        stored = await self._parts.database.do(store)
        self._changed.set()
        return stored

    async def get(self, schedule_id: str) -> Schedule:
        """Return one schedule; raise TaskUnknown."""
        async with self._parts.database.read() as connection:
            return _known(
                await connection.run_sync(get_schedule, schedule_id), schedule_id
            )

    async def listed(
        self, wanted: Mapping[str, str | None], *, limit: int, offset: int
    ) -> Sequence[Schedule]:
        """Return schedules, those of an agent or a status if that is wanted."""
        async with self._parts.database.read() as connection:
            return await connection.run_sync(
                lambda c: list_schedules(
                    c,
                    limit=limit,
                    offset=offset,
                    agent=wanted.get("agent"),
                    status=wanted.get("status"),
                )
            )

    async def change(self, schedule_id: str, change: ScheduleChange) -> Schedule:
        """Change a schedule; raise TaskUnknown, or TaskInvalid with nothing changed."""
        now = self._parts.clock.now()

        def store(connection: Transaction) -> Schedule:
            found = get_schedule(connection, schedule_id, locked=True)
            after = changed(_known(found, schedule_id), change, now)
            # One whose agent is gone can still be paused and removed.
            if change.moves:
                after = placed(connection, after, self._parts.settings, now)
            put_schedule(connection, after)
            return after

        stored = await self._parts.database.do(store)
        self._changed.set()
        return stored

    async def remove(self, schedule_id: str) -> None:
        """Remove a schedule with its runs; what runs of it is cancelled first.

        Raise TaskUnknown. The conversation of a group stays.
        """
        await self.change(schedule_id, ScheduleChange(status="paused"))
        async with self._parts.database.read() as connection:
            found = await connection.run_sync(open_tasks, schedule_id)
        for task_id in found:
            with suppress(TaskUnknown):
                await self._parts.queue.cancel(task_id)
                await self._parts.queue.finished(task_id, CANCEL_SECONDS)
        async with self._parts.database.read() as connection:
            runs = await connection.run_sync(runs_of, schedule_id)
        await drop_runs(self._parts.database, self._parts.turns, runs)
        await self._parts.database.do(lambda c: remove_schedule(c, schedule_id))

    async def trigger(self, schedule_id: str) -> Task:
        """Queue a run now, whatever the schedule says; its times stay as they are.

        Raise TaskUnknown, TaskBusy while a run of it waits or runs, or
        ConversationBusy while its conversation is in another turn.
        """
        now = self._parts.clock.now()

        def store(connection: Transaction) -> Task:
            found = get_schedule(connection, schedule_id, locked=True)
            schedule = _known(found, schedule_id)
            if open_tasks(connection, schedule_id):
                raise TaskBusy(
                    f'Cannot run task "{schedule_id}" now: a run of it waits or is '
                    "under way. Wait for its end, or cancel it."
                )
            demand_idle(connection, schedule)
            return queue_run(connection, schedule, now)

        task = await self._parts.database.do(store)
        self._parts.queue.offer([task])
        return task

    async def check(self) -> Checked:
        """Queue the task of the schedule that is due for the longest time, if any."""
        now = self._parts.clock.now()
        async with self._parts.database.read() as connection:
            due = await connection.run_sync(count_due, now)
            first = await connection.run_sync(due_schedules, now, 1)
        found: Sequence[Task] = await self._fire(first, now)
        if first and not found:
            # It was fired in the same moment by itself, here or at another host.
            found = await self._parts.queue.list(schedule_id=first[0].id, limit=1)
        return Checked(due, found[0] if found else None, max(0, due - len(first)))

    async def run(self) -> None:
        """Queue what is due, until cancelled."""
        failed = False
        while True:
            try:
                seconds = await self._round()
                failed = False
            except DatabaseFailed as error:
                if not failed:
                    log.error("schedules_wait", error=str(error))
                failed, seconds = True, RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()

    async def _round(self) -> float:
        """Queue what is due now; return in how many seconds to look again."""
        self._changed.clear()
        now = self._parts.clock.now()
        async with self._parts.database.read() as connection:
            due = await connection.run_sync(due_schedules, now, AT_ONCE)
        await self._fire(due, now)
        if len(due) == AT_ONCE:
            return 0.0
        async with self._parts.database.read() as connection:
            following = await connection.run_sync(next_due)
        if following is None:
            return LONGEST_SLEEP_SECONDS
        left = following - self._parts.clock.now()
        return min(max(left, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS)

    async def _fire(self, due: Sequence[Schedule], now: float) -> list[Task]:
        if not due:
            return []
        following = {one.id: _following(one, now) for one in due}

        def store(connection: Transaction) -> list[Task]:
            queued = []
            for schedule in due:
                at = following[schedule.id]
                if isinstance(at, TaskInvalid):
                    put_schedule(connection, replace(schedule, status="paused"))
                elif (task := fire(connection, schedule, at, now)) is not None:
                    queued.append(task)
            return queued

        queued = await self._parts.database.do(store)
        self._parts.queue.offer(queued)
        fired = {task.schedule_id for task in queued}
        for schedule in due:
            _tell(schedule, following[schedule.id], fired=schedule.id in fired)
        return queued


def _following(schedule: Schedule, now: float) -> float | TaskInvalid | None:
    try:
        return schedule.due_after(schedule.next_run or now, now)
    except TaskInvalid as error:
        return error


def _tell(
    schedule: Schedule, following: float | TaskInvalid | None, *, fired: bool
) -> None:
    if isinstance(following, TaskInvalid):
        log.error("schedule_paused", schedule=schedule.id, error=str(following))
    else:
        log.info(
            "schedule_fired" if fired else "schedule_left_out",
            schedule=schedule.id,
            agent=schedule.agent,
        )


def _known(schedule: Schedule | None, schedule_id: str) -> Schedule:
    if schedule is None:
        raise TaskUnknown(
            f'There is no task "{schedule_id}". GET /tasks lists those that are there.'
        )
    return schedule
