# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An INSERT that may say what is done with a row that is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    Insert = sqlite.Insert | postgresql.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """Return the insert of the database that is written; both know ON CONFLICT."""
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    # 2 MB that nobody needs who has SQLite.
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
