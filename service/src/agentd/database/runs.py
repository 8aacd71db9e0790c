# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Runs that are not kept any longer, with the conversations that they began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, or_, select

from agentd.database.tables import messages
from agentd.database.task_tables import schedules, tasks


@dataclass(frozen=True)
class OldRun:
    """A task that ended, and the conversation that was begun for it alone, if any."""

    task_id: str
    conversation_id: str | None


def runs_of(connection: Connection, schedule_id: str) -> list[OldRun]:
    """Return every run of a schedule that ended."""
    found = select(tasks.c.id).where(
        tasks.c.schedule_id == schedule_id, tasks.c.finished_at.is_not(None)
    )
    return _with_conversations(connection, connection.scalars(found).all())


def surplus_runs(connection: Connection, keep: int, limit: int) -> list[OldRun]:
    """Return ended runs beyond the newest that are kept of each schedule."""
    newest = func.row_number().over(
        partition_by=tasks.c.schedule_id, order_by=tasks.c.number.desc()
    )
    placed = (
        select(tasks.c.id, tasks.c.number, newest.label("place"))
        .where(tasks.c.schedule_id.is_not(None), tasks.c.finished_at.is_not(None))
        .subquery()
    )
    found = select(placed.c.id).where(placed.c.place > keep)
    ids = connection.scalars(found.order_by(placed.c.number).limit(limit)).all()
    return _with_conversations(connection, ids)


def aged_tasks(connection: Connection, before: float, limit: int) -> list[OldRun]:
    """Return tasks without a schedule that ended before; conversations stay."""
    found = (
        select(tasks.c.id)
        .where(tasks.c.finished_at < before, tasks.c.schedule_id.is_(None))
        .order_by(tasks.c.finished_at)
        .limit(limit)
    )
    return [OldRun(task_id, None) for task_id in connection.scalars(found)]


def delete_tasks(connection: Connection, ids: Sequence[str]) -> int:
    """Remove tasks that ended, with their logs; return how many there were."""
    gone = connection.execute(
        delete(tasks).where(tasks.c.id.in_(ids), tasks.c.finished_at.is_not(None))
    )
    return gone.rowcount


def _with_conversations(connection: Connection, ids: Sequence[str]) -> list[OldRun]:
    """Name the conversations in which nothing was said but by the task itself."""
    other = tasks.alias()
    found = select(tasks.c.id, tasks.c.conversation_id).where(
        tasks.c.id.in_(ids),
        tasks.c.conversation_id.is_not(None),
        ~select(messages.c.id)
        .where(
            messages.c.conversation_id == tasks.c.conversation_id,
            messages.c.role == "user",
            or_(messages.c.sender.is_(None), messages.c.sender != tasks.c.id),
        )
        .exists(),
        ~select(schedules.c.id)
        .where(schedules.c.conversation_id == tasks.c.conversation_id)
        .exists(),
        ~select(other.c.id)
        .where(
            other.c.conversation_id == tasks.c.conversation_id,
            other.c.id != tasks.c.id,
        )
        .exists(),
    )
    own = {row.id: row.conversation_id for row in connection.execute(found)}
    return [OldRun(task_id, own.get(task_id)) for task_id in ids]
