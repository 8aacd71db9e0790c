# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What agents and the deployment took over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, text

from agentd.database.insert import insert_into
from agentd.database.work_tables import usage_samples

Row = tuple[float, str, str, str, int, int]


@dataclass(frozen=True)
class SampleWish:
    """Which samples are wanted."""

    since: float
    until: float
    limit: int
    agent: str | None = None
    area: str | None = None
    host: str | None = None


def add_samples(connection: Connection, rows: Sequence[Row]) -> None:
    """Store samples; one that is there stays."""
    names = [column.name for column in usage_samples.columns]
    values = [dict(zip(names, row, strict=True)) for row in rows]
    if values:
        connection.execute(
            insert_into(connection, usage_samples).on_conflict_do_nothing(), values
        )


def list_samples(connection: Connection, wish: SampleWish) -> list[Row]:
    """Return the samples that are wanted, the oldest first."""
    table = usage_samples.c
    found = select(usage_samples).where(
        table.at >= wish.since,
        table.at <= wish.until,
        *(
            column == value
            for column, value in (
                (table.agent, wish.agent),
                (table.area, wish.area),
                (table.host, wish.host),
            )
            if value is not None
        ),
    )
    ordered = found.order_by(table.at, table.host, table.agent, table.area)
    return [tuple(row) for row in connection.execute(ordered.limit(wish.limit))]


def sample_times(connection: Connection, host: str, before: float) -> list[float]:
    """Return when a host took samples that are older, the oldest first."""
    at = usage_samples.c.at
    found = select(at).where(usage_samples.c.host == host, at < before)
    return list(connection.scalars(found.distinct().order_by(at)))


def remove_samples(connection: Connection, host: str, times: Sequence[float]) -> int:
    """Remove a host's samples of these times; return how many rows that were."""
    gone = connection.execute(
        delete(usage_samples).where(
            usage_samples.c.host == host, usage_samples.c.at.in_(times)
        )
    )
    return gone.rowcount


def remove_samples_before(connection: Connection, before: float) -> int:
    """Remove what is older, of hosts that are gone too; return how many rows."""
    gone = connection.execute(delete(usage_samples).where(usage_samples.c.at < before))
    return gone.rowcount


def count_samples(connection: Connection) -> int:
    """Return how many rows are kept."""
    return int(connection.scalar(select(func.count()).select_from(usage_samples)) or 0)


def database_bytes(connection: Connection) -> int:
    """Return how much a PostgreSQL database takes on its server."""
    found = connection.scalar(text("SELECT pg_database_size(current_database())"))
    return int(found or 0)
