# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sweeps in the database, on each kind of it, and with several hosts on one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from hosts.two import two_hosts
from sqlalchemy import update

from agentd.database import sweeps
from agentd.database.conversations import add_conversation
from agentd.database.open import open_database
from agentd.database.sessions import put_session
from agentd.database.tables import conversations
from agentd.database.writer import Transaction
from agentd.sessions.identity import SessionKey, StoredSession
from agentd.sweep.sweeper import Sweeper
from agentd.sweep.values import Tally
from agentd.sweep.work_step import WorkStep

from .old_files import session


async def test_a_sweep_is_stored_and_read_back(database_url: str) -> None:
    async with open_database(database_url) as database:
        first = await database.do(
            lambda c: sweeps.begin_sweep(c, "a", "interval", dry_run=False, now=1.0)
        )
        second = await database.do(
            lambda c: sweeps.begin_sweep(c, "a", "request", dry_run=True, now=2.0)
        )
        counts = {"sessions": 3, "clones": 0}
        await database.do(lambda c: sweeps.end_sweep(c, first, counts, ["why"], 5.0))
        other = await database.do(lambda c: sweeps.end_cut_off(c, "b", 6.0))
        async with database.read() as connection:
            running = await sweeps.get_sweep(connection, second)
            last = await sweeps.last_started(connection, "a")
            never = await sweeps.last_started(connection, "b")
        mine = await database.do(lambda c: sweeps.end_cut_off(c, "a", 6.0))
        async with database.read() as connection:
            listed = await sweeps.list_sweeps(connection, limit=5, offset=0)

    assert (other, mine, last, never) == (0, 1, 1.0, None)
    assert running.finished_at is None
    assert [one.number for one in listed] == [second, first]
    assert listed[1].counts == counts
    assert listed[1].problems == ("why",)
    assert (listed[0].finished_at, listed[0].dry_run) == (6.0, True)


async def test_old_sweeps_make_room(database_url: str) -> None:
    def store(connection: Transaction) -> None:
        for number in range(sweeps.KEPT + 20):
            now = float(number)
            sweeps.begin_sweep(connection, "a", "interval", dry_run=True, now=now)

    async with open_database(database_url) as database:
        await database.do(store)
        async with database.read() as connection:
            listed = await sweeps.list_sweeps(connection, limit=5000, offset=0)

    assert len(listed) == sweeps.KEPT


def put(connection: Transaction, number: int, **values: object) -> None:
    """Store a conversation about a repository, with a session."""
    key = SessionKey("main", f"conv-{number}")
    add_conversation(connection, key, 1.0)
    connection.execute(
        update(conversations)
        .where(conversations.c.id == key.conversation_id)
        .values(repository="shop/web", **values)
    )
    stored = StoredSession(session_id=session(number), durable=True)
    put_session(connection, key, stored, 1.0)


async def test_conversations_about_repositories_are_read(database_url: str) -> None:
    def store(connection: Transaction) -> None:
        put(connection, 1, issue="7", branch="x", host="b")
        add_conversation(connection, SessionKey("main", "conv-2"), 1.0)

    async with open_database(database_url) as database:
        await database.do(store)
        async with database.read() as connection:
            ((row, host),) = await sweeps.work_rows(connection)
            used = await sweeps.used_at(connection, "conv-1")
            gone = await sweeps.used_at(connection, "conv-3")

    assert (row.issue, row.branch, row.has_session, host) == ("7", "x", True, "b")
    assert (used, gone) == (1.0, None)


def step_of(sweeper: Sweeper) -> WorkStep:
    """Return the step that looks at conversations."""
    return WorkStep(sweeper._parts, Tally(dry_run=True))


async def test_each_host_looks_after_its_own_and_those_of_lost_hosts(
    postgres_url: str, tmp_path: Path
) -> None:
    def store(connection: Transaction) -> None:
        for number, host in enumerate(("a", "b", "lost", None)):
            put(connection, number, issue=str(number), host=host)

    async with two_hosts(postgres_url, tmp_path) as (a, b):
        await a.service.database.do(store)
        async with asyncio.timeout(20):
            while len(a.service.presence.hosts()) < 2:
                await asyncio.sleep(0.05)
        found = await step_of(a.service.sweeper)._find()
        here = {row.issue for row in found.rows if row.here}
        swept = [await one.client.post("/sweep") for one in (a, b)]
        listed = (await b.client.get("/sweeps")).json()["sweeps"]

    assert here == {"0", "2", "3"}
    assert [one.status_code for one in swept] == [200, 200]
    assert [one["host"] for one in listed] == ["b", "a"]


async def test_one_host_asks_forges_at_a_time(postgres_url: str) -> None:
    """I05: however many hosts there are; a lost one is waited for by nobody."""
    async with open_database(postgres_url) as database, AsyncExitStack() as stack:
        async with database.keep() as first:
            second = await stack.enter_async_context(database.keep())
            assert await first.run(sweeps.take_asking) is True
            assert await second.run(sweeps.take_asking) is False
        async with asyncio.timeout(10):
            while not await second.run(sweeps.take_asking):
                await asyncio.sleep(0.05)
