# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The database: pragmas, migrations, and what is stored."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from agentd.database.conversations import (
    IDLE,
    RUNNING,
    add_message,
    get_conversation,
    list_messages,
    remove_conversation,
)
from agentd.database.interrupted import InterruptedTurn, mark_interrupted
from agentd.database.open import Database, open_database
from agentd.database.outbound import (
    OutboundMessage,
    add_outbound,
    undelivered_conversations,
)
from agentd.database.sessions import (
    drop_session,
    mark_durable,
    put_session,
)
from agentd.database.tables import SCHEMA_REVISION, metadata
from agentd.database.task_tables import tasks
from agentd.database.transcript_tables import transcript_entries
from agentd.database.work_tables import records
from agentd.errors import DatabaseTooNew
from agentd.sessions.identity import (
    StoredSession,
    new_session_id,
)

from .stored import KEY, message, stored, url


async def session_of(database: Database) -> StoredSession | None:
    async with database.read() as connection:
        found = await get_conversation(connection, "conv-1")
    return None if found is None else found.session


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


async def test_the_migrations_make_exactly_the_tables(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert tasks.metadata is transcript_entries.metadata is metadata
    assert records.metadata is metadata
    async with open_database(database_url) as database, database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_newer_schema_is_refused_and_left_as_it_is(database_url: str) -> None:
    """O04."""

    def move_on(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    async with open_database(database_url) as database:
        await database.do(move_on)

    for _start in range(2):
        with pytest.raises(DatabaseTooNew, match="9999"):
            async with open_database(database_url):
                pass


async def test_what_runs_at_a_start_is_marked_until_its_end_is_known(
    database_url: str,
) -> None:
    """O12, E16: after a kill, with the session and the uuid to ask for."""
    session_id = new_session_id()
    async with open_database(database_url) as database:
        await stored(database, 1, status=RUNNING)
        await database.do(
            lambda c: put_session(c, KEY, StoredSession(session_id, False), 1.0)
        )
    wanted = InterruptedTurn(KEY, session_id, "uuid-1")

    for _start in range(2):
        async with open_database(database_url) as database:
            assert await database.do(mark_interrupted) == [wanted]

    async with open_database(database_url) as database:
        await database.do(lambda c: add_message(c, message(2), IDLE))
        assert await database.do(mark_interrupted) == []


async def test_messages_come_back_in_the_order_they_were_said(
    database_url: str,
) -> None:
    async with open_database(database_url) as database:
        await stored(database, 1, 2, 3)

        async with database.read() as connection:
            found = await list_messages(connection, "conv-1", limit=2, offset=1)
            conversation = await get_conversation(connection, "conv-1")

    assert [one.content for one in found] == ["text 2", "text 3"]
    assert conversation is not None
    assert conversation.message_count == 3


async def test_removing_a_conversation_removes_all_that_is_its(
    database_url: str,
) -> None:
    outbound = OutboundMessage("conv-1", "hello", "tool", 1.0)
    async with open_database(database_url) as database:
        await stored(database, 1)
        await database.do(
            lambda c: put_session(c, KEY, StoredSession(new_session_id(), True), 1.0)
        )
        await database.do(lambda c: add_outbound(c, outbound))

        removed = [
            await database.do(lambda c: remove_conversation(c, "conv-1"))
            for _time in range(2)
        ]

        async with database.read() as connection:
            assert await list_messages(connection, "conv-1", limit=9, offset=0) == []
        left = await database.do(undelivered_conversations)

    assert removed == [True, False]
    assert left == set()


async def test_a_session_is_durable_only_after_it_was_marked(database_url: str) -> None:
    session = StoredSession(new_session_id(), False, created_at=1.0)
    proved = replace(session, last_message_uuid="u", transcript_bytes=9)
    other = replace(proved, session_id=new_session_id())
    async with open_database(database_url) as database:
        await stored(database)
        await database.do(lambda c: put_session(c, KEY, session, 1.0))
        await database.do(lambda c: mark_durable(c, KEY, other, 2.0))
        before = await session_of(database)
        await database.do(lambda c: mark_durable(c, KEY, proved, 2.0))
        after = await session_of(database)

    assert before == session
    assert after == replace(proved, durable=True)


async def test_a_session_is_dropped_once(database_url: str) -> None:
    """G08."""
    async with open_database(database_url) as database:
        await stored(database)
        session = StoredSession(new_session_id(), True)
        await database.do(lambda c: put_session(c, KEY, session, 1.0))

        dropped = [
            await database.do(lambda c: drop_session(c, KEY)) for _time in range(2)
        ]

    assert dropped == [True, False]
