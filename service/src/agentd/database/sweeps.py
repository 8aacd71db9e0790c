# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sweeps in the database, and the conversations about repositories they look at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agentd.database.tables import conversations, sessions
from agentd.database.work_tables import sweeps
from agentd.sweep.values import Sweep, WorkRow

KEPT = 1000
MAX_ROWS = 100_000
CUT_OFF = "It was cut off: control ended meanwhile. What it removed stays removed."
# Any number: hosts that ask forges have it in common, and nothing else has.
ASKING = 0x73776565


def begin_sweep(
    connection: Connection, host: str, asked_by: str, *, dry_run: bool, now: float
) -> int:
    """Store that a sweep begins, and return its number; the oldest ones are removed."""
    number = connection.execute(
        insert(sweeps)
        .values(started_at=now, host=host, asked_by=asked_by, dry_run=dry_run)
        .returning(sweeps.c.number)
    ).scalar_one()
    connection.execute(delete(sweeps).where(sweeps.c.number <= number - KEPT))
    return int(number)


def end_sweep(
    connection: Connection,
    number: int,
    counts: Mapping[str, int],
    problems: Sequence[str],
    now: float,
) -> None:
    """Store what became of a sweep."""
    connection.execute(
        update(sweeps)
        .where(sweeps.c.number == number)
        .values(
            finished_at=now,
            counts=json.dumps(dict(counts)),
            problems=json.dumps(list(problems)),
        )
    )


def end_cut_off(connection: Connection, host: str, now: float) -> int:
    """Store that a host's sweeps without an end were cut off; return how many."""
    return connection.execute(
        update(sweeps)
        .where(sweeps.c.host == host, sweeps.c.finished_at.is_(None))
        .values(finished_at=now, problems=json.dumps([CUT_OFF]))
    ).rowcount


async def last_started(connection: AsyncConnection, host: str) -> float | None:
    """Return when a host's last sweep began that really removed."""
    found = await connection.scalar(
        select(func.max(sweeps.c.started_at)).where(
            sweeps.c.host == host, sweeps.c.dry_run.is_(False)
        )
    )
    return None if found is None else float(found)


async def list_sweeps(
    connection: AsyncConnection, *, limit: int, offset: int
) -> list[Sweep]:
    """Return sweeps of all hosts, the newest first."""
    rows = await connection.execute(
        select(sweeps).order_by(sweeps.c.number.desc()).limit(limit).offset(offset)
    )
    return [_sweep(row) for row in rows]


async def get_sweep(connection: AsyncConnection, number: int) -> Sweep:
    """Return a stored sweep."""
    rows = await connection.execute(select(sweeps).where(sweeps.c.number == number))
    return _sweep(rows.one())


async def work_rows(connection: AsyncConnection) -> list[tuple[WorkRow, str | None]]:
    """Return the conversations about repositories, and at which host each goes on."""
    rows: Iterable[Row[Any]] = await connection.execute(
        select(
            conversations.c.agent,
            conversations.c.id,
            conversations.c.repository,
            conversations.c.issue,
            conversations.c.branch,
            conversations.c.last_activity,
            conversations.c.host,
            sessions.c.session_id,
        )
        .outerjoin(sessions, sessions.c.conversation_id == conversations.c.id)
        .where(conversations.c.repository.is_not(None))
        .order_by(conversations.c.last_activity)
        .limit(MAX_ROWS)
    )
    return [(_work_row(row), row.host) for row in rows]


async def used_at(connection: AsyncConnection, conversation_id: str) -> float | None:
    """Return when a conversation was used last, None if it is not there."""
    found = await connection.scalar(
        select(conversations.c.last_activity).where(
            conversations.c.id == conversation_id
        )
    )
    return None if found is None else float(found)


async def known_since(connection: AsyncConnection) -> float | None:
    """Return the oldest time that the database tells of: it is no younger."""
    oldest = [
        await connection.scalar(select(func.min(column)))
        for column in (conversations.c.created_at, sweeps.c.started_at)
    ]
    return min((float(one) for one in oldest if one is not None), default=None)


async def repositories_of_branch(
    connection: AsyncConnection, agent: str, branch: str, without: str | None
) -> list[str]:
    """Return in which repositories an agent has a session on a branch."""
    rows = await connection.scalars(
        select(conversations.c.repository)
        .join(sessions, sessions.c.conversation_id == conversations.c.id)
        .where(
            conversations.c.agent == agent,
            conversations.c.branch == branch,
            conversations.c.repository.is_not(None),
            conversations.c.id != (without or ""),
        )
        .distinct()
    )
    return [str(one) for one in rows]


def take_asking(connection: Connection) -> bool:
    """Be the one host that asks forges, as long as this connection lives."""
    taken = text("SELECT pg_try_advisory_lock(:asking)")
    return bool(connection.scalar(taken, {"asking": ASKING}))


def _work_row(row: Row[Any]) -> WorkRow:
    return WorkRow(
        agent=row.agent,
        conversation_id=row.id,
        repository=row.repository,
        issue=row.issue,
        branch=row.branch,
        used_at=row.last_activity,
        has_session=row.session_id is not None,
    )


def _sweep(row: Row[Any]) -> Sweep:
    return Sweep(
        number=row.number,
        started_at=row.started_at,
        finished_at=row.finished_at,
        host=row.host,
        asked_by=row.asked_by,
        dry_run=row.dry_run,
        counts=json.loads(row.counts or "{}"),
        problems=tuple(json.loads(row.problems or "[]")),
    )
