# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The database: pragmas, migrations, and what is stored."""

from __future__ import annotations

import asyncio
import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from agentd.database.conversations import (
    IDLE,
    RUNNING,
    Message,
    add_conversation,
    add_message,
    count_conversations,
    get_conversation,
    list_conversations,
    list_messages,
    remove_conversation,
    reset_running,
)
from agentd.database.open import Database, open_database
from agentd.database.probe import probe_database, probe_directory
from agentd.database.sessions import get_session, mark_durable, put_session
from agentd.database.tables import SCHEMA_REVISION, metadata
from agentd.errors import DatabaseFailed, DatabaseTooNew
from agentd.sessions.identity import SessionKey, StoredSession, new_session_id

KEY = SessionKey("main", "conv-1")


def url(directory: Path) -> str:
    return f"sqlite+aiosqlite:///{directory}/agentd.db"


def message(number: int) -> Message:
    return Message(
        id=f"msg-{number}",
        conversation_id="conv-1",
        role="user",
        content=f"text {number}",
        status="said",
        created_at=float(number),
    )


async def stored(database: Database) -> None:
    async with database.write() as connection:
        await add_conversation(connection, "conv-1", "main", 1.0)


async def test_every_connection_is_in_wal_with_our_pragmas(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as database, database.read() as connection:
        values = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }

    assert values == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "synchronous": 2,
    }


def test_the_revision_that_is_compared_is_the_newest_migration() -> None:
    location = files("agentd.database").joinpath("migrations")

    assert ScriptDirectory(str(location)).get_current_head() == SCHEMA_REVISION


async def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with open_database(url(tmp_path)) as database, database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)):
        pass
    with sqlite3.connect(tmp_path / "agentd.db") as direct:
        direct.execute("UPDATE alembic_version SET version_num = '9999'")
    direct.close()

    with pytest.raises(DatabaseTooNew, match="9999"):
        async with open_database(url(tmp_path)):
            pass

    after = sqlite3.connect(tmp_path / "agentd.db")
    assert after.execute("SELECT version_num FROM alembic_version").fetchone() == (
        "9999",
    )
    after.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agentd.db").write_bytes(b"not a database" * 1000)

    with pytest.raises(DatabaseFailed, match=r"agentd\.db"):
        async with open_database(url(tmp_path)):
            pass


async def test_running_conversations_are_reset_and_counted(tmp_path: Path) -> None:
    """O12, E16: after a kill nothing seems to run."""
    async with open_database(url(tmp_path)) as database:
        await stored(database)
        async with database.write() as connection:
            await add_message(connection, message(1), RUNNING)

    async with (
        open_database(url(tmp_path)) as database,
        database.write() as connection,
    ):
        assert await reset_running(connection) == 1
        assert await reset_running(connection) == 0


async def test_messages_come_back_in_the_order_they_were_said(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as database:
        await stored(database)
        async with database.write() as connection:
            for number in (1, 2, 3):
                await add_message(connection, message(number), IDLE)

        async with database.read() as connection:
            found = await list_messages(connection, "conv-1", limit=2, offset=1)
            conversation = await get_conversation(connection, "conv-1")

    assert [one.content for one in found] == ["text 2", "text 3"]
    assert conversation is not None
    assert conversation.message_count == 3


async def test_removing_a_conversation_removes_all_that_is_its(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as database:
        await stored(database)
        async with database.write() as connection:
            await add_message(connection, message(1), IDLE)
            await put_session(
                connection, KEY, StoredSession(new_session_id(), True), 1.0
            )

        async with database.write() as connection:
            assert await remove_conversation(connection, "conv-1") == 1
            assert await remove_conversation(connection, "conv-1") == 0

        async with database.read() as connection:
            assert await list_messages(connection, "conv-1", limit=9, offset=0) == []
            assert await get_session(connection, KEY) is None


async def test_a_session_is_durable_only_after_it_was_marked(tmp_path: Path) -> None:
    session_id = new_session_id()
    async with open_database(url(tmp_path)) as database:
        await stored(database)
        async with database.write() as connection:
            await put_session(connection, KEY, StoredSession(session_id, False), 1.0)
            await mark_durable(connection, KEY, new_session_id(), 2.0)
            before = await get_session(connection, KEY)
            await mark_durable(connection, KEY, session_id, 2.0)
            after = await get_session(connection, KEY)

    assert before == StoredSession(session_id, False)
    assert after == StoredSession(session_id, True)


async def test_a_session_of_a_conversation_of_another_agent_is_refused(
    tmp_path: Path,
) -> None:
    """G01: the key is the agent and the conversation."""
    foreign = SessionKey("other", "conv-1")
    async with open_database(url(tmp_path)) as database:
        await stored(database)

        with pytest.raises(DatabaseFailed) as refused:
            async with database.write() as connection:
                session = StoredSession(new_session_id(), False)
                await put_session(connection, foreign, session, 1.0)

    assert isinstance(refused.value.__cause__, IntegrityError)


async def test_fifty_writers_at_once_all_succeed(tmp_path: Path) -> None:
    """G05: parallel sets keep every key."""

    async def add(database: Database, number: int) -> None:
        async with database.write() as connection:
            await count_conversations(connection)
            await add_conversation(connection, f"conv-{number}", "main", float(number))

    async with open_database(url(tmp_path)) as database:
        async with asyncio.TaskGroup() as tasks:
            for number in range(50):
                tasks.create_task(add(database, number))

        async with database.read() as connection:
            found = await list_conversations(connection, limit=100, offset=0)

    assert [one.id for one in found] == [f"conv-{n}" for n in reversed(range(50))]


async def test_what_fails_inside_a_write_is_not_stored(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as database:
        with pytest.raises(ValueError, match="stop"):
            async with database.write() as connection:
                await add_conversation(connection, "conv-1", "main", 1.0)
                raise ValueError("stop")

        async with database.read() as connection:
            assert await get_conversation(connection, "conv-1") is None


async def test_the_probes_leave_one_row_and_no_file(tmp_path: Path) -> None:
    async with open_database(url(tmp_path)) as database:
        for number in range(3):
            await probe_database(database, float(number))
            probe_directory(tmp_path)

        async with database.read() as connection:
            rows = (await connection.execute(text("SELECT id, at FROM probes"))).all()

    assert [tuple(row) for row in rows] == [(1, 2.0)]
    assert [path for path in tmp_path.iterdir() if "probe" in path.name] == []
