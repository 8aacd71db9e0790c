# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""PostgreSQL that stops, crashes, is cut off and comes back; nothing is mocked."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from conftest import until
from servers.postgres import PASSWORD, Postgres
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from agentd.database.conversations import (
    IDLE,
    add_conversation,
    add_message,
    count_conversations,
    list_messages,
)
from agentd.database.open import Database, open_database
from agentd.errors import AgentdError, DatabaseFailed
from agentd.sessions.identity import SessionKey

from .running_app import Parts, control
from .stored import message, stored

LIMIT_SECONDS = 2.0


def add(connection: Connection, number: int) -> None:
    add_conversation(connection, SessionKey("main", f"conv-{number}"), float(number))


async def count(database: Database) -> int:
    async with database.read() as connection:
        return await count_conversations(connection)


@asynccontextmanager
async def away(server: Postgres, number: int = signal.SIGINT) -> AsyncIterator[None]:
    await asyncio.to_thread(server.stop, number)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


async def test_a_server_that_was_stopped_is_told_and_comes_back_by_itself(
    postgres_server: Postgres, postgres_url: str
) -> None:
    async with open_database(postgres_url) as database:
        await database.do(partial(add, number=1))
        assert await count(database) == 1

        async with away(postgres_server):
            with pytest.raises(DatabaseFailed) as written:
                await database.do(partial(add, number=2))
            with pytest.raises(DatabaseFailed) as read:
                await count(database)

        await database.do(partial(add, number=3))
        assert await count(database) == 2

    for error in (written, read):
        assert f"127.0.0.1:{postgres_server.port}/test_" in str(error.value)
        assert PASSWORD not in str(error.value)


async def test_sessions_that_were_ended_while_nobody_used_them_are_not_noticed(
    postgres_server: Postgres, postgres_url: str
) -> None:
    async with open_database(postgres_url) as database:
        await database.do(partial(add, number=1))
        await count(database)

        assert postgres_server.end_sessions(postgres_url) == 2

        await database.do(partial(add, number=2))
        assert await count(database) == 2


async def test_what_was_acknowledged_is_there_after_a_crash_under_load(
    postgres_server: Postgres, postgres_url: str
) -> None:
    """What was told to be stored is, once."""
    told: list[int] = []
    stopping = asyncio.Event()

    async def write(database: Database, first: int) -> None:
        for number in range(first, 1_000_000, 8):
            if stopping.is_set():
                return
            with suppress(DatabaseFailed):
                await database.do(partial(add, number=number))
                told.append(number)

    async with open_database(postgres_url) as database:
        async with asyncio.TaskGroup() as tasks:
            for first in range(8):
                tasks.create_task(write(database, first))
            await until(lambda: len(told) > 100)
            async with away(postgres_server, signal.SIGQUIT):
                before = len(told)
            await until(lambda: len(told) > before + 100)
            stopping.set()

        async with database.read() as connection:
            found = await connection.execute(text("SELECT id FROM conversations"))
            there = set(found.scalars())

    assert {f"conv-{number}" for number in told} <= there


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_server_that_is_cut_off_is_told_in_time(
    postgres_server: Postgres, postgres_url: str, cancelled: bool
) -> None:
    """SIGSTOP: the connections stay, and nothing answers."""

    async def ask(number: int) -> None:
        with pytest.raises((DatabaseFailed, asyncio.CancelledError)) as error:
            if number % 2:
                await database.do(partial(add, number=number))
            else:
                await count(database)
        if not cancelled:
            assert "in time" in str(error.value) or "timeout" in str(error.value)

    async with open_database(postgres_url, limit_seconds=LIMIT_SECONDS) as database:
        await asyncio.gather(*(count(database) for _number in range(4)))
        await database.do(partial(add, number=0))
        postgres_server.cut()
        began = time.monotonic()
        try:
            asking = [asyncio.ensure_future(ask(number)) for number in range(1, 9)]
            await asyncio.sleep(0.2)
            for one in asking if cancelled else []:
                one.cancel()
            await asyncio.gather(*asking)
            took = time.monotonic() - began
        finally:
            postgres_server.join()

        await database.do(partial(add, number=100))
        assert await count(database) >= 2
    assert took < LIMIT_SECONDS + 8


async def test_two_that_wait_for_each_other_are_both_stored(postgres_url: str) -> None:
    both = threading.Barrier(2)

    def rename(connection: Connection, order: tuple[int, int]) -> None:
        for at in order:
            connection.execute(
                text(
                    "UPDATE conversations SET message_count = message_count + 1"
                    " WHERE id = :id"
                ),
                {"id": f"conv-{at}"},
            )
            with suppress(threading.BrokenBarrierError):
                both.wait(0.5)

    async with open_database(postgres_url) as database:
        for number in (1, 2):
            await database.do(partial(add, number=number))
        await asyncio.gather(
            database.do(partial(rename, order=(1, 2))),
            database.do(partial(rename, order=(2, 1))),
        )
        async with database.read() as connection:
            found = await connection.execute(
                text("SELECT message_count FROM conversations")
            )
            counts = list(found.scalars())

    assert counts == [2, 2]


async def test_a_deed_that_went_on_after_a_failure_is_not_told_as_stored(
    postgres_url: str,
) -> None:
    def go_on(connection: Connection) -> None:
        add(connection, 1)
        with suppress(DBAPIError):
            add(connection, 1)

    async with open_database(postgres_url) as database:
        with pytest.raises(DatabaseFailed, match="had failed"):
            await database.do(go_on)

        assert await count(database) == 0


async def test_only_what_is_synced_waits_for_the_disk(postgres_url: str) -> None:
    def mode(connection: Connection) -> str:
        return str(connection.scalar(text("SHOW synchronous_commit")))

    async with open_database(postgres_url) as database:
        modes = [
            await database.do(mode, synced=synced) for synced in (True, False, True)
        ]

    assert modes == ["on", "off", "on"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((PASSWORD, "wr0ng"), "authentication"),
        (("/test_", "/no-such-"), "does not exist"),
        (("postgresql://", "mysql://"), "neither"),
        (("/test_", "/x?ssl_mode=1&dbname="), "ssl_mode"),
    ],
)
async def test_an_address_that_does_not_lead_there_is_told_without_its_password(
    postgres_url: str, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    secret = tmp_path / "database-url"
    secret.write_text(postgres_url.replace(*change) + "\n")
    settings = {"database_url_file": str(secret)}

    with pytest.raises((AgentdError, ExceptionGroup)) as refused:
        async with control(tmp_path, Parts(settings=settings)):
            pass

    assert told in repr(refused.value)
    assert PASSWORD not in repr(refused.value)
    assert "wr0ng" not in repr(refused.value)


async def test_health_tells_that_the_database_is_away_and_that_it_is_back(
    postgres_server: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    settings = {"database_url": postgres_url, "store_sessions": False}
    async with control(tmp_path, Parts(settings=settings)) as running:
        before = await running.client.get("/health")
        async with away(postgres_server):
            during = await running.client.get("/health")
            refused = await running.say()
        after = await running.client.get("/health")
        answer = await running.say()

    codes = [one.status_code for one in (before, during, refused, after, answer)]
    assert codes == [200, 503, 503, 200, 200], (during.text, after.text)
    assert during.json()["database"]["ok"] is False
    assert PASSWORD not in during.text + refused.text


async def test_a_text_with_the_character_0_is_stored_without_it(
    postgres_url: str,
) -> None:
    """SQLite keeps it; PostgreSQL has no place for it, and must not fail a turn."""
    said = replace(message(1), content="a\0b")
    async with open_database(postgres_url) as database:
        await stored(database)
        await database.do(lambda c: add_message(c, said, IDLE))
        async with database.read() as connection:
            (found,) = await list_messages(connection, "conv-1", limit=9, offset=0)

    assert found.content == "a\N{REPLACEMENT CHARACTER}b"


async def test_health_tells_in_time_that_the_database_is_cut_off(
    postgres_server: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    settings = {"database_url": postgres_url, "store_sessions": False}
    async with control(tmp_path, Parts(settings=settings)) as running:
        await running.client.get("/health")
        postgres_server.cut()
        try:
            began = time.monotonic()
            during = await running.client.get("/health")
            took = time.monotonic() - began
        finally:
            postgres_server.join()
        async with asyncio.timeout(20):
            while (await running.client.get("/health")).status_code != 200:
                await asyncio.sleep(0.2)

    assert during.status_code == 503
    assert took < 10
