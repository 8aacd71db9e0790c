# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the dashboard counts: totals, usage over time, and whether anything changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from agentd.database.tables import conversations, sessions
from agentd.database.task_tables import tasks
from agentd.database.tasks import IS_QUEUED, IS_RUNNING
from agentd.database.work_tables import records, sweeps, usage_samples, webhook_events

MAX_ROWS = 5000
# Two hosts take their samples at times of their own: what lies so near is one look.
NEAR = 1.5
# All hosts tell of one database; everything else each has on its own disk.
SHARED = ("", "database")

Amounts = Mapping[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Totals:
    """How much of what there is."""

    conversations: int
    in_a_turn: int
    sessions: int
    proved: int
    queued: int
    running: int
    failed: int


@dataclass(frozen=True)
class Span:
    """A time that is looked at in so many steps."""

    begin: float
    end: float
    steps: int
    every: float
    """How long it is between two samples of one host."""


@dataclass(frozen=True)
class Sample:
    """What was used at a time: bytes and files by agent and area."""

    at: float
    amounts: Amounts = field(default_factory=dict)


def count_totals(connection: Connection, since: float) -> Totals:
    """Count what there is, and which tasks failed since then."""
    proved = func.count().filter(sessions.c.durable.is_(True))
    known, good = connection.execute(select(func.count(), proved)).one()
    in_turn = func.count().filter(conversations.c.status == "running")
    everything, running = connection.execute(
        select(func.count(), in_turn).select_from(conversations)
    ).one()
    failed = (tasks.c.finished_at >= since) & (tasks.c.status == "failed")
    return Totals(
        conversations=everything,
        in_a_turn=running,
        sessions=known,
        proved=good,
        queued=_count(connection, IS_QUEUED),
        running=_count(connection, IS_RUNNING),
        failed=_count(connection, failed),
    )


def usage_over(
    connection: Connection, span: Span, agent: str | None = None
) -> list[Sample]:
    """Return what was used, looked at once in each step that has a sample."""
    length = (span.end - span.begin) / span.steps
    found = []
    for step in range(span.steps):
        begin = span.begin + step * length
        last = connection.scalar(_last(begin, begin + length, agent))
        if last is not None:
            found.append(_sample(connection, last, span.every, agent))
    return found


def last_usage(
    connection: Connection, every: float, agent: str | None = None
) -> Sample | None:
    """Return what is used by the latest sample, or None."""
    last = connection.scalar(_last(0, 1e12, agent))
    return None if last is None else _sample(connection, last, every, agent)


def change_marks(connection: Connection) -> dict[str, Sequence[object]]:
    """Return values by topic; those of a topic differ when something changed."""
    return {
        "conversations": tuple(
            connection.execute(
                select(
                    func.count(),
                    func.max(conversations.c.last_activity),
                    func.count().filter(conversations.c.status == "running"),
                )
            ).one()
        )
        + tuple(
            connection.execute(
                select(func.count(), func.max(sessions.c.updated_at))
            ).one()
        ),
        "tasks": (
            connection.scalar(select(func.max(tasks.c.number))),
            connection.scalar(select(func.max(tasks.c.finished_at))),
            _count(connection, IS_QUEUED),
            _count(connection, IS_RUNNING),
        ),
        "webhooks": (connection.scalar(select(func.max(webhook_events.c.number))),),
        "sweeps": tuple(
            connection.execute(
                select(func.max(sweeps.c.number), func.max(sweeps.c.finished_at))
            ).one()
        ),
        "usage": (connection.scalar(select(func.max(usage_samples.c.at))),),
        "records": (connection.scalar(select(func.max(records.c.at))),),
    }


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    wanted = select(func.count()).select_from(tasks).where(which)
    return int(connection.scalar(wanted) or 0)


def _last(after: float, until: float, agent: str | None) -> Select[Any]:
    at = usage_samples.c.at
    wanted = select(at).where(at > after, at <= until)
    if agent is not None:
        wanted = wanted.where(usage_samples.c.agent == agent)
    # Not max(): that would look at all of them where an agent is asked for.
    return wanted.order_by(at.desc()).limit(1)


def _sample(
    connection: Connection, last: float, every: float, agent: str | None
) -> Sample:
    at = usage_samples.c.at
    wanted = (
        select(usage_samples)
        .where(at > last - NEAR * every, at <= last)
        .order_by(at)
        .limit(MAX_ROWS)
    )
    if agent is not None:
        wanted = wanted.where(usage_samples.c.agent == agent)
    # Of several samples of one host, the later one is what counts.
    latest: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in connection.execute(wanted):
        host = "" if (row.agent, row.area) == SHARED else row.host
        latest[host, row.agent, row.area] = (row.bytes, row.files)
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for (_host, owner, area), (size, files) in latest.items():
        before = sums.get((owner, area), (0, 0))
        sums[owner, area] = (before[0] + size, before[1] + files)
    return Sample(last, sums)
