# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which agents have a turn that was not proved, until one of theirs is."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from agentd.database.insert import insert_into
from agentd.database.tables import unproved_agents


def list_unproved(connection: Connection) -> dict[str, float]:
    """Return the agents, and since when."""
    rows = connection.execute(select(unproved_agents.c.agent, unproved_agents.c.since))
    return {row.agent: row.since for row in rows}


def set_unproved(connection: Connection, agent: str, since: float | None) -> None:
    """Store since when an agent is unproved; None when a turn of it was proved."""
    if since is None:
        connection.execute(
            delete(unproved_agents).where(unproved_agents.c.agent == agent)
        )
        return
    statement = insert_into(connection, unproved_agents).values(
        agent=agent, since=since
    )
    connection.execute(statement.on_conflict_do_nothing())
