# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""An empty database of each kind, for tests that have to hold on both."""

from __future__ import annotations

from pathlib import Path

import pytest

from .postgres import Postgres

KINDS = ("sqlite", "postgresql")


def sqlite_url(directory: Path) -> str:
    """Return the address of a SQLite file in a directory."""
    return f"sqlite+aiosqlite:///{directory}/agentd.db"


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    # Asked for only here, so that tests on SQLite alone start no server.
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.new_database()
