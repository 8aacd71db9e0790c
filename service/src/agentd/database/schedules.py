# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The table of schedules, and the tasks that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from agentd.database.task_tables import schedules, tasks
from agentd.database.tasks import insert_tasks
from agentd.queue.values import Task, new_task_id
from agentd.tasks.values import Schedule

ACTIVE, COMPLETED = "active", "completed"
OPEN = ("queued", "running")
MAX_RESULT_CHARACTERS = 10_000
STORED = [one.name for one in fields(Schedule)]


def add_schedule(connection: Connection, schedule: Schedule) -> bool:
    """Store a new schedule; return False if there is one of its id."""
    known = select(schedules.c.id).where(schedules.c.id == schedule.id)
    if connection.scalar(known) is not None:
        return False
    connection.execute(
        insert(schedules).values(
            {name: getattr(schedule, name) for name in STORED},
        )
    )
    return True


def put_schedule(connection: Connection, schedule: Schedule) -> None:
    """Store what was changed of a schedule."""
    kept = {"id", "agent", "created_at", "last_run", "last_result"}
    values = {name: getattr(schedule, name) for name in STORED if name not in kept}
    connection.execute(
        update(schedules).where(schedules.c.id == schedule.id).values(values)
    )


def get_schedule(
    connection: Connection, schedule_id: str, *, locked: bool = False
) -> Schedule | None:
    """Return one schedule; locked, nobody else changes it in this transaction."""
    query = _select().where(schedules.c.id == schedule_id)
    if locked:
        query = query.with_for_update(of=schedules)
    row = connection.execute(query).first()
    return None if row is None else _schedule(row)


def list_schedules(
    connection: Connection,
    *,
    limit: int,
    offset: int,
    agent: str | None = None,
    status: str | None = None,
) -> list[Schedule]:
    """Return schedules in the order in which they were made."""
    query = _select().order_by(schedules.c.created_at, schedules.c.id)
    if agent is not None:
        query = query.where(schedules.c.agent == agent)
    if status is not None:
        query = query.where(schedules.c.status == status)
    rows = connection.execute(query.limit(limit).offset(offset))
    return [_schedule(row) for row in rows]


def remove_schedule(connection: Connection, schedule_id: str) -> bool:
    """Remove a schedule with its tasks and their logs; return if it was there."""
    gone = connection.execute(delete(schedules).where(schedules.c.id == schedule_id))
    return gone.rowcount > 0


def due_schedules(connection: Connection, now: float, limit: int) -> list[Schedule]:
    """Return active schedules that are due, the longest due first."""
    query = _select().where(schedules.c.status == ACTIVE, schedules.c.next_run <= now)
    rows = connection.execute(query.order_by(schedules.c.next_run).limit(limit))
    return [_schedule(row) for row in rows]


def count_due(connection: Connection, now: float) -> int:
    """Return how many active schedules are due."""
    found = connection.scalar(
        select(func.count()).where(
            schedules.c.status == ACTIVE, schedules.c.next_run <= now
        )
    )
    return int(found or 0)


def next_due(connection: Connection) -> float | None:
    """Return when an active schedule is due next."""
    found = select(func.min(schedules.c.next_run)).where(schedules.c.status == ACTIVE)
    at = connection.scalar(found)
    return None if at is None else float(at)


def fire(
    connection: Connection, schedule: Schedule, following: float | None, now: float
) -> Task | None:
    """Queue a task of a schedule that is due, and note when it is due again.

    Return None if it was fired elsewhere or changed meanwhile, or if a task of it
    still waits or runs: that run is left out.
    """
    moved = connection.execute(
        update(schedules)
        .where(
            schedules.c.id == schedule.id,
            schedules.c.status == ACTIVE,
            schedules.c.next_run == schedule.next_run,
        )
        .values(next_run=following, status=COMPLETED if following is None else ACTIVE)
    )
    if not moved.rowcount or open_tasks(connection, schedule.id):
        return None
    return queue_run(connection, schedule, now)


def queue_run(connection: Connection, schedule: Schedule, now: float) -> Task:
    """Queue a task of a schedule now."""
    connection.execute(
        update(schedules).where(schedules.c.id == schedule.id).values(last_run=now)
    )
    return insert_tasks(connection, [(new_task_id(), schedule.task())], now)[0]


def open_tasks(connection: Connection, schedule_id: str) -> Sequence[str]:
    """Return the tasks of a schedule that wait or run."""
    found = select(tasks.c.id).where(
        tasks.c.schedule_id == schedule_id, tasks.c.status.in_(OPEN)
    )
    return connection.scalars(found).all()


def count_schedules(connection: Connection) -> int:
    """Return how many schedules there are."""
    return int(connection.scalar(select(func.count()).select_from(schedules)) or 0)


def _select() -> Select[Any]:
    said = func.coalesce(tasks.c.result, tasks.c.error, "")
    latest = (
        select(func.substr(said, 1, MAX_RESULT_CHARACTERS))
        .where(tasks.c.schedule_id == schedules.c.id, tasks.c.finished_at.is_not(None))
        .order_by(tasks.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    stored = [schedules.c[name] for name in STORED if name != "last_result"]
    told = func.coalesce(latest, schedules.c.last_result).label("last_result")
    return select(*stored, told)


def _schedule(row: Any) -> Schedule:
    return Schedule(**{name: row._mapping[name] for name in STORED})
