# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The hosts in the database: their controls, and the last sign of life of each."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, text

from agentd.database.insert import insert_into
from agentd.database.task_tables import hosts

# Any number: the names of hosts have it in common, and nothing else has.
NAMES = 0x686F7374


@dataclass(frozen=True)
class Host:
    """One host: ``instance`` is the process of control that runs, or ran, there."""

    name: str
    instance: str
    started_at: float
    seen_at: float
    agents: tuple[str, ...] = ()


def put_host(connection: Connection, host: Host) -> None:
    """Store a sign of life."""
    values = {
        "instance": host.instance,
        "started_at": host.started_at,
        "seen_at": host.seen_at,
        "agents": json.dumps(host.agents),
    }
    statement = insert_into(connection, hosts).values(name=host.name, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[hosts.c.name], set_=values)
    )


def list_hosts(connection: Connection) -> dict[str, Host]:
    """Return every host that was ever seen, by name."""
    return {row.name: _host(row) for row in connection.execute(select(hosts))}


def take_name(connection: Connection, name: str) -> bool:
    """Hold a host's name as long as this connection lives; return if it is free."""
    taken = text("SELECT pg_try_advisory_lock(hashtextextended(:name, :names))")
    return bool(connection.scalar(taken, {"name": name, "names": NAMES}))


def end_when_idle(connection: Connection, seconds: float) -> None:
    """Let the server close this connection when nothing was heard for so long.

    Servers that are older than this setting look after the line alone.
    """
    connection.execute(
        text(
            "SELECT set_config(name, :value, false) FROM pg_settings "
            "WHERE name = 'idle_session_timeout'"
        ),
        {"value": f"{round(seconds * 1000)}ms"},
    )


def _host(row: Row[tuple[object, ...]]) -> Host:
    return Host(
        name=row.name,
        instance=row.instance,
        started_at=row.started_at,
        seen_at=row.seen_at,
        agents=tuple(json.loads(row.agents)),
    )
