# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A database of each kind with one conversation, and an agent's side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentd.database.open import Database, open_database

from .sides import Side
from .stores import Bench


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as opened:
        yield opened


@pytest.fixture
async def bench(database: Database) -> Bench:
    made = Bench(database)
    await made.begin()
    return made


@pytest.fixture
def side(tmp_path: Path) -> Side:
    return Side(tmp_path)
