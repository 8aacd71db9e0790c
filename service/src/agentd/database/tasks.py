# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The table of tasks: stored, cancelled, removed and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Executable,
    Select,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from agentd.database.insert import insert_into
from agentd.database.tables import conversations
from agentd.database.task_tables import schedules, tasks
from agentd.queue.values import RANKS, NewTask, Task

QUEUED: Final = "queued"
RUNNING: Final = "running"
CANCELLED: Final = "cancelled"
LONG = frozenset({"prompt", "prompt_if_resumed", "result", "error"})
# As literals, for an index of part of the table is used for no less.
IS_QUEUED = tasks.c.status == literal_column(f"'{QUEUED}'")
IS_RUNNING = tasks.c.status == literal_column(f"'{RUNNING}'")
COLUMNS = [tasks.c[one.name] for one in fields(Task)]


def task_of(row: Any) -> Task:
    """Return the task that a row holds."""
    return Task(**{one.name: row._mapping[one.name] for one in fields(Task)})


def insert_tasks(
    connection: Connection,
    drafts: Sequence[tuple[str, NewTask]],
    now: float,
    *,
    published: bool = False,
) -> list[Task]:
    """Store tasks under the ids that come with them, and return them in that order.

    With ``published``, those that may begin at once are noted as being on their way.
    A task whose id is there already is returned as it is.
    """
    if not drafts:
        return []
    rows = [_row(task_id, new, now, published) for task_id, new in drafts]
    named = any(new.id is not None for _task_id, new in drafts)
    statement: Executable = (
        insert_into(connection, tasks)
        .on_conflict_do_nothing(index_elements=[tasks.c.id])
        .returning(*COLUMNS)
        if named
        else insert(tasks).returning(*COLUMNS)
    )
    stored = {row.id: task_of(row) for row in connection.execute(statement, rows)}
    if named:
        stored |= tasks_of(connection, {one for one, _new in drafts} - stored.keys())
    return [stored[task_id] for task_id, _new in drafts]


def tasks_of(connection: Connection, ids: Iterable[str]) -> dict[str, Task]:
    """Return those of the named tasks that are there."""
    asked = list(ids)
    if not asked:
        return {}
    rows = connection.execute(select(*COLUMNS).where(tasks.c.id.in_(asked)))
    return {row.id: task_of(row) for row in rows}


def _row(task_id: str, new: NewTask, now: float, published: bool) -> dict[str, object]:
    available = now if new.available_at is None else new.available_at
    return {
        "id": task_id,
        "agent": new.agent,
        "schedule_id": new.schedule_id,
        "conversation_id": new.conversation_id,
        "prompt": new.prompt,
        "priority": new.priority,
        "rank": RANKS[new.priority],
        "definition": new.definition,
        "model": new.model,
        "repository": new.repository,
        "issue": new.issue,
        "branch": new.branch,
        "prompt_if_resumed": new.prompt_if_resumed,
        "timeout_seconds": new.timeout_seconds,
        "status": QUEUED,
        "attempts": 0,
        "created_at": now,
        "available_at": available,
        "published_at": now if published and available <= now else None,
        "cancel_requested": False,
    }


def missing(connection: Connection, news: Iterable[NewTask]) -> set[str]:
    """Return the ids of conversations and schedules that are named and not there."""
    asked = list(news)
    found: set[str] = set()
    for table, ids in (
        (conversations, {new.conversation_id for new in asked} - {None}),
        (schedules, {new.schedule_id for new in asked} - {None}),
    ):
        if ids:
            known = connection.scalars(select(table.c.id).where(table.c.id.in_(ids)))
            found |= {str(one) for one in ids} - set(known)
    return found


def cancel_queued(connection: Connection, task_id: str, now: float) -> bool:
    """Cancel a task that waits; return whether it did."""
    changed = connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, IS_QUEUED)
        .values(status=CANCELLED, finished_at=now, cancel_requested=True)
    )
    return changed.rowcount > 0


def ask_to_cancel(connection: Connection, task_id: str) -> bool:
    """Note that a running task is to be cancelled; return whether it runs."""
    changed = connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, IS_RUNNING)
        .values(cancel_requested=True)
    )
    return changed.rowcount > 0


def remove_task(connection: Connection, task_id: str) -> bool:
    """Remove a task that does not run; return whether there was one."""
    gone = connection.execute(
        delete(tasks).where(tasks.c.id == task_id, tasks.c.status != RUNNING)
    )
    return gone.rowcount > 0


def get_task(connection: Connection, task_id: str) -> Task | None:
    """Return one task."""
    row = connection.execute(select(*COLUMNS).where(tasks.c.id == task_id)).first()
    return None if row is None else task_of(row)


def select_tasks(
    conditions: Mapping[str, str | None], told: int | None = None
) -> Select[Any]:
    """Return the tasks whose columns hold what is asked, the newest first.

    With ``told``, long words are cut after so many characters, so that many tasks are
    read in bounded memory.
    """
    columns = [
        column
        if told is None or column.name not in LONG
        else func.substr(column, 1, told).label(column.name)
        for column in COLUMNS
    ]
    asked = {name: value for name, value in conditions.items() if value is not None}
    wanted = [tasks.c[name] == value for name, value in asked.items()]
    return select(*columns).where(*wanted).order_by(tasks.c.number.desc())


def count_queued(connection: Connection, at_most: int | None = None) -> int:
    """Return how many tasks wait; with a bound, no more than that are counted."""
    waiting = select(tasks.c.number).where(IS_QUEUED)
    if at_most is not None:
        waiting = waiting.limit(at_most)
    found = connection.scalar(select(func.count()).select_from(waiting.subquery()))
    return int(found or 0)


def count_queued_by_agent(connection: Connection) -> dict[str, int]:
    """Return how many tasks of each agent wait."""
    found = connection.execute(
        select(tasks.c.agent, func.count()).where(IS_QUEUED).group_by(tasks.c.agent)
    )
    return {row[0]: row[1] for row in found}
