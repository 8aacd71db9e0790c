# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Hosts that share a database see each other, and each name is one control's."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from conftest import until
from servers.postgres import Postgres

from agentd.clock import Clock
from agentd.database.open import open_database
from agentd.errors import HostNameTaken
from agentd.hosts.presence import Presence

LOST_SECONDS = 2.0


@asynccontextmanager
async def present(
    url: str, name: str, lost_seconds: float = LOST_SECONDS
) -> AsyncIterator[Presence]:
    async with (
        open_database(url) as database,
        Presence(database, name, ["main"], Clock(), lost_seconds) as presence,
    ):
        yield presence


async def test_a_host_is_stored_with_the_process_that_runs_there(
    database_url: str,
) -> None:
    async with present(database_url, "a") as first:
        pass
    async with present(database_url, "a") as second:
        known = second.hosts()["a"]

    assert first.instance != second.instance
    assert (known.instance, known.agents) == (second.instance, ("main",))
    assert second.lost() == frozenset()


async def test_with_a_database_of_its_own_a_host_is_alone(database_url: str) -> None:
    async with present(database_url, "a") as presence:
        assert presence.alone is database_url.startswith("sqlite")


async def test_a_second_control_with_the_same_name_is_refused(
    postgres_url: str,
) -> None:
    async with present(postgres_url, "a") as first:
        with pytest.raises(HostNameTaken, match="set host"):
            async with present(postgres_url, "a", lost_seconds=1.0):
                pass

        async with present(postgres_url, "b") as other:
            assert set(other.hosts()) == {"a", "b"}
    async with present(postgres_url, "a") as again:
        assert again.instance != first.instance


async def test_a_host_that_goes_is_lost_after_a_while_and_back_when_it_comes(
    postgres_url: str,
) -> None:
    async with present(postgres_url, "a") as mine:
        async with present(postgres_url, "b"):
            await until(lambda: "b" in mine.hosts())
            await asyncio.sleep(1.5 * LOST_SECONDS)
            assert mine.lost() == frozenset()

        await until(lambda: mine.lost() == {"b"})
        async with present(postgres_url, "b"):
            await until(lambda: mine.lost() == frozenset())


async def test_nobody_is_lost_by_a_server_that_was_away_longer(
    postgres_server: Postgres, postgres_url: str
) -> None:
    async with present(postgres_url, "a") as a, present(postgres_url, "b") as b:
        await until(lambda: set(a.hosts()) == set(b.hosts()) == {"a", "b"})
        began = {name: host.seen_at for name, host in a.hosts().items()}

        await asyncio.to_thread(postgres_server.stop, signal.SIGQUIT)
        await asyncio.sleep(1.5 * LOST_SECONDS)
        await asyncio.to_thread(postgres_server.start)

        lost: set[str] = set()

        def back() -> bool:
            lost.update(a.lost() | b.lost())
            return all(
                one.hosts()[name].seen_at > began[name] + LOST_SECONDS
                for one in (a, b)
                for name in "ab"
            )

        await until(back)

    assert lost == set()


async def test_a_control_whose_name_went_to_another_stops(
    postgres_server: Postgres, postgres_url: str
) -> None:
    """Cut off so long that its session ended, it must not go on beside the other."""
    told: list[str] = []
    async with open_database(postgres_url) as database:
        mine = Presence(database, "a", ["main"], Clock(), LOST_SECONDS)
        mine.stop_with(told.append)
        async with mine:
            postgres_server.end_sessions(postgres_url)
            async with present(postgres_url, "a"):
                await until(lambda: bool(told))

    assert 'host "a"' in told[0]
