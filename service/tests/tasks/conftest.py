# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What control keeps its tasks in: SQLite alone, or PostgreSQL and Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.redis import Redis

from .running import Json


@pytest.fixture
def stores(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Json:
    """The settings of a control with SQLite alone, or with PostgreSQL and Redis."""
    if not database_url.startswith("postgresql"):
        return {"database_url": database_url}
    # Asked for only here, so that tests on SQLite alone start no server.
    server: Redis = request.getfixturevalue("redis_server")
    address = tmp_path / "redis-url"
    address.write_text(server.url, encoding="utf-8")
    address.chmod(0o600)
    return {"database_url": database_url, "redis_url_file": str(address)}
