# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Moves the schema to this version, or refuses one that is newer."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection, inspect, text

from agentd.database.tables import SCHEMA_REVISION
from agentd.errors import DatabaseTooNew

MOVE_SECONDS = 600.0
# Two hosts that start at once move the schema one after the other.
MOVE_LOCK = 0x6167656E7464


def move_to_this_schema(connection: Connection) -> tuple[str | None, str]:
    """Run the missing migrations; return the revisions before and after.

    Raise DatabaseTooNew if the database has a revision that is not known here.
    """
    before = _revision(connection)
    if before == SCHEMA_REVISION:
        return before, before
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        lock = text("SELECT pg_advisory_xact_lock(:lock)")
        connection.execute(lock, {"lock": MOVE_LOCK})
        if (before := _revision(connection)) == SCHEMA_REVISION:
            return before, before
    # Alembic costs 5 MB and 0.1 s, and is needed only when something moves.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    location = files("agentd.database").joinpath("migrations")
    config.set_main_option("script_location", str(location))
    known = {item.revision for item in ScriptDirectory(str(location)).walk_revisions()}
    if before is not None and before not in known:
        raise DatabaseTooNew(
            f'Cannot use the database: its schema is "{before}", this version knows '
            f'up to "{SCHEMA_REVISION}". Run the version of agentd that wrote it, or '
            "restore a backup from before."
        )
    command.upgrade(config, SCHEMA_REVISION)
    return before, SCHEMA_REVISION


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])
