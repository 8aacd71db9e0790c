# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Logs of tasks, and the list of what came through the queue and was no task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from agentd.database.task_tables import dead_items, task_logs, tasks

MAX_DEAD_ITEMS = 1000
MAX_ITEM_CHARACTERS = 10_000
MAX_DETAIL_CHARACTERS = 4_000


@dataclass(frozen=True)
class TaskLogLine:
    """One line of a task's log."""

    at: float
    event: str
    detail: str | None


@dataclass(frozen=True)
class DeadItem:
    """Something that came through the queue and is no task of ours."""

    at: float
    source: str
    item: str
    reason: str


def add_log(connection: Connection, task_id: str, line: TaskLogLine) -> None:
    """Add a line to the log of a task, if that is still there."""
    known = connection.scalar(select(tasks.c.number).where(tasks.c.id == task_id))
    if known is None:
        return
    detail = line.detail if line.detail is None else line.detail[:MAX_DETAIL_CHARACTERS]
    connection.execute(
        insert(task_logs).values(
            task_id=task_id, at=line.at, event=line.event[:64], detail=detail
        )
    )


def select_logs(task_id: str) -> Select[Any]:
    """Return the log of a task, the oldest line first."""
    return (
        select(task_logs.c.at, task_logs.c.event, task_logs.c.detail)
        .where(task_logs.c.task_id == task_id)
        .order_by(task_logs.c.id)
    )


def add_dead(connection: Connection, items: Sequence[DeadItem]) -> None:
    """Keep items that are no tasks; the oldest give way when there are too many."""
    rows = [
        {
            "at": one.at,
            "source": one.source[:256],
            "item": one.item[:MAX_ITEM_CHARACTERS],
            "reason": one.reason,
        }
        for one in items
    ]
    connection.execute(insert(dead_items), rows)
    oldest = (
        select(dead_items.c.id)
        .order_by(dead_items.c.id.desc())
        .offset(MAX_DEAD_ITEMS)
        .limit(1)
    )
    bound = connection.scalar(oldest)
    if bound is not None:
        connection.execute(delete(dead_items).where(dead_items.c.id <= bound))


def select_dead() -> Select[Any]:
    """Return what was no task, the newest first."""
    return select(
        dead_items.c.at, dead_items.c.source, dead_items.c.item, dead_items.c.reason
    ).order_by(dead_items.c.id.desc())


def count_dead(connection: Connection) -> int:
    """Return how many items are kept that were no tasks."""
    found = connection.scalar(select(func.count()).select_from(dead_items))
    return int(found or 0)
