# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Writes to the database: at once, cancelled, refused, and probed."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from agentd.database.conversations import (
    About,
    add_conversation,
    count_conversations,
    get_conversation,
    get_conversation_of_issue,
    list_conversations,
)
from agentd.database.open import Database, open_database
from agentd.database.probe import probe_database, probe_directory
from agentd.database.sessions import (
    conversations_of_issue,
    put_session,
)
from agentd.errors import DatabaseFailed
from agentd.sessions.identity import (
    IssueKey,
    SessionKey,
    StoredSession,
    new_session_id,
)

from .stored import KEY, stored, url


async def test_a_session_of_a_conversation_of_another_agent_is_refused(
    database_url: str,
) -> None:
    """G01: the key is the agent and the conversation."""
    foreign = SessionKey("other", "conv-1")
    session = StoredSession(new_session_id(), False)
    async with open_database(database_url) as database:
        await stored(database)

        with pytest.raises(DatabaseFailed) as refused:
            await database.do(lambda c: put_session(c, foreign, session, 1.0))

    assert isinstance(refused.value.__cause__, IntegrityError)


async def test_an_agent_has_one_conversation_about_an_issue(database_url: str) -> None:
    """G01: another agent has its own, and none is needed."""

    def add(number: int, issue: IssueKey | None) -> Callable[[Connection], None]:
        key = SessionKey("main" if issue is None else issue.agent, f"conv-{number}")
        about = About() if issue is None else About(issue.repository, issue.issue)
        return lambda connection: add_conversation(connection, key, 1.0, about)

    mine, other = IssueKey("main", "a/b", "7"), IssueKey("mail", "a/b", "7")
    async with open_database(database_url) as database:
        for number, issue in enumerate((mine, other, None, None)):
            await database.do(add(number, issue))
        with pytest.raises(DatabaseFailed):
            await database.do(add(9, mine))

        async with database.read() as connection:
            found = await get_conversation_of_issue(connection, other)
            keys = await conversations_of_issue(connection, ["a/b"], "7", None)
            one = await conversations_of_issue(connection, ["a/b"], "7", "main")

    assert found is not None
    assert (found.agent, found.id) == ("mail", "conv-1")
    assert {key.agent for key in keys} == {"main", "mail"}
    assert one == [SessionKey("main", "conv-0")]


async def test_fifty_writers_at_once_all_succeed(database_url: str) -> None:
    """G05: parallel sets keep every key, in the writer's thread and beside it."""

    async def add(database: Database, number: int) -> None:
        key = SessionKey("main", f"conv-{number}")
        if number % 2:
            await database.do(lambda c: add_conversation(c, key, float(number)))
            return
        async with database.write() as connection:
            await count_conversations(connection)
            await connection.run_sync(add_conversation, key, float(number))

    async with open_database(database_url) as database:
        async with asyncio.TaskGroup() as tasks:
            for number in range(50):
                tasks.create_task(add(database, number))

        async with database.read() as connection:
            found = await list_conversations(connection, limit=100, offset=0)

    assert [one.id for one in found] == [f"conv-{n}" for n in reversed(range(50))]


async def test_a_reader_beside_a_thousand_writes_sees_each_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    """G04: a transaction takes the place of a file that is renamed."""
    stopped = threading.Event()

    def read() -> set[tuple[int, str]]:
        seen: set[tuple[int, str]] = set()
        with closing(sqlite3.connect(tmp_path / "agentd.db")) as beside:
            while not stopped.is_set():
                rows = beside.execute(
                    "SELECT c.id, s.session_id FROM conversations c"
                    " LEFT JOIN sessions s ON s.conversation_id = c.id"
                ).fetchall()
                seen.add((len(rows), str({None} & {row[1] for row in rows})))
            assert beside.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return seen

    async with open_database(url(tmp_path)) as database:
        looking = asyncio.create_task(asyncio.to_thread(read))
        try:
            for number in range(1000):
                await database.do(partial(_add_with_session, number=number))
        finally:
            stopped.set()
        seen = await looking
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}

    assert set(modes.values()) == {0o600}, modes
    assert {torn for _count, torn in seen} == {"set()"}
    assert len(seen) > 2


def _add_with_session(connection: Connection, number: int) -> None:
    key = SessionKey("main", f"conv-{number}")
    add_conversation(connection, key, float(number))
    put_session(connection, key, StoredSession(new_session_id(), durable=False), 1.0)


async def test_what_fails_inside_a_write_is_not_stored(database_url: str) -> None:
    def fail(connection: Connection) -> None:
        add_conversation(connection, KEY, 1.0)
        raise ValueError("stop")

    async with open_database(database_url) as database:
        with pytest.raises(ValueError, match="stop"):
            await database.do(fail)
        await database.do(lambda connection: add_conversation(connection, KEY, 1.0))


async def test_a_cancelled_write_is_whole_and_done_before_the_caller_goes_on(
    database_url: str,
) -> None:
    began = threading.Event()

    def slow(connection: Connection) -> None:
        began.set()
        time.sleep(0.2)
        add_conversation(connection, KEY, 1.0)

    async with open_database(database_url) as database:
        task = asyncio.ensure_future(database.do(slow))
        await asyncio.to_thread(began.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.read() as connection:
            found = await get_conversation(connection, "conv-1")

    assert found is not None


async def test_the_probes_leave_one_row_and_no_file(
    database_url: str, tmp_path: Path
) -> None:
    async with open_database(database_url) as database:
        for number in range(3):
            await probe_database(database, float(number))
            probe_directory(tmp_path)

        async with database.read() as connection:
            rows = (await connection.execute(text("SELECT id, at FROM probes"))).all()

    assert [tuple(row) for row in rows] == [(1, 2.0)]
    assert [path for path in tmp_path.iterdir() if "probe" in path.name] == []
