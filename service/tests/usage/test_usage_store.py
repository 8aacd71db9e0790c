# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Samples in a database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agentd.database.open import Database, open_database
from agentd.database.usage import (
    SampleWish,
    add_samples,
    count_samples,
    list_samples,
    remove_samples,
    remove_samples_before,
    sample_times,
)
from agentd.samples.own import own_usage
from agentd.settings import AgentEntry, ControlSettings

ROWS = [
    (at, host, agent, "memory", 2**50, 7)
    for at in (100.0, 200.0, 300.0)
    for host in ("first", "second")
    for agent in ("", "main")
]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database, once SQLite, once PostgreSQL."""
    async with open_database(database_url) as opened:
        yield opened


async def test_samples_are_kept_found_and_removed(database: Database) -> None:
    for _unused in range(2):
        await database.do(lambda c: add_samples(c, ROWS))
    await database.do(lambda c: add_samples(c, []))
    wish = SampleWish(since=150, until=250, limit=10, agent="main", host="second")

    found = await database.do(lambda c: list_samples(c, wish))
    times = await database.do(lambda c: sample_times(c, "first", 250))
    gone = await database.do(lambda c: remove_samples(c, "first", times))
    old = await database.do(lambda c: remove_samples_before(c, 150))

    assert found == [(200.0, "second", "main", "memory", 2**50, 7)]
    assert times == [100.0, 200.0]
    assert (gone, old) == (4, 2)
    assert await database.do(count_samples) == 6


async def test_the_database_s_own_size_is_told(
    database: Database, database_url: str
) -> None:
    """I17: the database is an area too."""
    settings = ControlSettings(
        component="control",
        deployment="demo",
        listen_host="127.0.0.1",
        agents=[AgentEntry(name="main")],
        database_url=database_url,
    )

    usage = await own_usage(settings, database, 1.0)

    assert usage.areas["database"].bytes > 50_000
