# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is to be cleaned up: stored at once, kept until every living host did it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    case,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from agentd.database.tables import conversations, messages, sessions
from agentd.database.task_tables import tasks
from agentd.database.tasks import CANCELLED, COLUMNS, IS_QUEUED, task_of
from agentd.database.work_tables import cleanups
from agentd.queue.values import Task
from agentd.sessions.identity import SessionKey
from agentd.work.values import Wish
from agentd.workdirs.names import issue_branch, parse_repository

MAX_DUE = 100
MAX_ERROR_CHARACTERS = 2000


@dataclass(frozen=True)
class Cleanup:
    """A wish as it is stored, and how often its fulfilment was put off."""

    number: int
    wish: Wish
    asked_at: float
    next_at: float
    attempts: int = 0
    error: str | None = None
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Concerned:
    """A conversation that a wish is about, or one that shares its branch."""

    key: SessionKey
    issue: str | None
    branch: str | None
    has_session: bool
    asked: bool
    last_said_at: float | None = None


def add_cleanup(
    connection: Connection, wish: Wish, asked_at: float, next_at: float
) -> Cleanup:
    """Store a wish; one that is stored already is asked for anew."""
    mine = _of(wish)
    same = [cleanups.c[name].is_not_distinct_from(one) for name, one in mine.items()]
    known = connection.execute(
        update(cleanups)
        .where(*same)
        .values(asked_at=_later(asked_at), next_at=next_at, hosts=None)
        .returning(cleanups)
    ).first()
    if known is not None:
        return _cleanup(known)
    values = {**mine, "asked_at": asked_at, "next_at": next_at, "attempts": 0}
    added = connection.execute(insert(cleanups).values(**values).returning(cleanups))
    return _cleanup(added.one())


def due_cleanups(connection: Connection, host: str, now: float) -> list[Cleanup]:
    """Return what is due and was not done by this host."""
    rows = connection.execute(
        select(cleanups)
        .where(cleanups.c.next_at <= now)
        .order_by(cleanups.c.next_at, cleanups.c.number)
        .limit(MAX_DUE)
    )
    found = [_cleanup(row) for row in rows]
    return [one for one in found if host not in one.hosts]


def next_cleanup_at(connection: Connection) -> float | None:
    """Return when the next one is due."""
    found: float | None = connection.scalar(select(func.min(cleanups.c.next_at)))
    return found


def finish_cleanup(
    connection: Connection, done: Cleanup, host: str, living: Collection[str]
) -> None:
    """Note that a host did it; when every living one did, it is forgotten.

    One that was asked for anew meanwhile is left to be done again.
    """
    mine = (cleanups.c.number == done.number) & (cleanups.c.asked_at == done.asked_at)
    found = connection.execute(select(cleanups).where(mine).with_for_update()).first()
    if found is None:
        return
    hosts = {*_cleanup(found).hosts, host}
    if hosts >= set(living):
        connection.execute(delete(cleanups).where(mine))
        return
    names = json.dumps(sorted(hosts))
    connection.execute(update(cleanups).where(mine).values(hosts=names))


def forget_done(connection: Connection, living: Collection[str]) -> None:
    """Forget what waited for a host that lives no longer."""
    rows = connection.execute(select(cleanups).where(cleanups.c.hosts.is_not(None)))
    done = [row.number for row in rows if set(_cleanup(row).hosts) >= set(living)]
    if done:
        connection.execute(delete(cleanups).where(cleanups.c.number.in_(done)))


def put_off_cleanup(
    connection: Connection, late: Cleanup, next_at: float, error: str
) -> None:
    """Note why it could not be done, and when it is tried again."""
    connection.execute(
        update(cleanups)
        .where(cleanups.c.number == late.number)
        .values(
            next_at=next_at,
            attempts=cleanups.c.attempts + 1,
            error=error[:MAX_ERROR_CHARACTERS],
        )
    )


def remove_cleanups(connection: Connection, asked_before: float) -> int:
    """Give up what was asked for before then; return how many that were."""
    gone = connection.execute(
        delete(cleanups).where(cleanups.c.asked_at < asked_before)
    )
    return gone.rowcount


def concerned(
    connection: Connection, wish: Wish, repositories: Iterable[str]
) -> list[Concerned]:
    """Return the conversations that a wish is about, and those on their branches."""
    names = list(repositories)
    asked = _about(conversations, wish, names)
    branches = select(conversations.c.branch).where(asked)
    named = [] if wish.issue is None else [issue_branch(wish.issue)]
    theirs = or_(
        conversations.c.branch.in_(branches), conversations.c.branch.in_(named)
    )
    shares = theirs & _in(conversations, wish, names)
    said = (
        select(func.max(messages.c.created_at))
        .where(messages.c.conversation_id == conversations.c.id)
        .where(messages.c.role == "user")
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            conversations.c.agent,
            conversations.c.id,
            conversations.c.issue,
            conversations.c.branch,
            sessions.c.session_id,
            said.label("said"),
            asked.label("asked"),
        )
        .outerjoin(
            sessions,
            (sessions.c.conversation_id == conversations.c.id)
            & (sessions.c.agent == conversations.c.agent),
        )
        .where(asked | shares)
        .order_by(conversations.c.agent, conversations.c.id)
    )
    return [_concerned(row) for row in rows]


def cancel_tasks_of(
    connection: Connection, wish: Wish, repositories: Iterable[str], asked_at: float
) -> list[Task]:
    """Cancel the tasks that waited by then and that a wish is about; return them.

    Those of another issue, which is worked on in the same branch, are left.
    """
    over = or_(tasks.c.issue.is_(None), tasks.c.issue == wish.issue)
    rows = connection.execute(
        update(tasks)
        .where(_about(tasks, wish, list(repositories)), over, IS_QUEUED)
        .where(tasks.c.created_at <= asked_at)
        .values(status=CANCELLED, finished_at=asked_at, cancel_requested=True)
        .returning(*COLUMNS)
    )
    return [task_of(row) for row in rows]


def _in(table: Table, wish: Wish, repositories: list[str]) -> ColumnElement[bool]:
    mine: ColumnElement[bool] = table.c.repository.in_(repositories)
    return mine if wish.agent is None else mine & (table.c.agent == wish.agent)


def _about(table: Table, wish: Wish, repositories: list[str]) -> ColumnElement[bool]:
    """Return the condition for rows of the wish's issue, or of its branch."""
    which = [
        table.c[name] == value
        for name, value in (("issue", wish.issue), ("branch", wish.branch))
        if value is not None
    ]
    return _in(table, wish, repositories) & or_(false(), *which)


def _concerned(row: Any) -> Concerned:
    return Concerned(
        key=SessionKey(row.agent, row.id),
        issue=row.issue,
        branch=row.branch,
        has_session=row.session_id is not None,
        asked=bool(row.asked),
        last_said_at=row.said,
    )


def _later(asked_at: float) -> ColumnElement[float]:
    known = cleanups.c.asked_at
    return case((known > asked_at, known), else_=asked_at)


def _of(wish: Wish) -> dict[str, str | None]:
    return {
        "repository": str(wish.repository),
        "issue": wish.issue,
        "branch": wish.branch,
        "agent": wish.agent,
    }


def _cleanup(row: Any) -> Cleanup:
    repository = parse_repository(row.repository)
    return Cleanup(
        number=row.number,
        wish=Wish(repository, row.issue, row.branch, row.agent),
        asked_at=row.asked_at,
        next_at=row.next_at,
        attempts=row.attempts,
        error=row.error,
        hosts=tuple(json.loads(row.hosts)) if row.hosts else (),
    )
