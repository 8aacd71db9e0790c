# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Each earlier schema is moved to this one with its rows, by whoever is first."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Table, create_engine, insert, select, text
from sqlalchemy.engine import Engine

from agentd.address import database_address
from agentd.database.conversations import Conversation, get_conversation, list_messages
from agentd.database.open import open_database
from agentd.database.tables import SCHEMA_REVISION

from .running_app import Parts, control

SESSION = "33333333-3333-4333-8333-333333333333"
ROWS: dict[str, dict[str, object]] = {
    "conversations": {
        "id": "conv-1",
        "agent": "main",
        "status": "running",
        "created_at": 1.0,
        "last_activity": 2.0,
        "message_count": 1,
    },
    "messages": {
        "id": "m1",
        "conversation_id": "conv-1",
        "position": 1,
        "role": "user",
        "content": "hello",
        "status": "said",
        "created_at": 1.0,
    },
    "sessions": {
        "agent": "main",
        "conversation_id": "conv-1",
        "session_id": SESSION,
        "durable": True,
        "updated_at": 2.0,
    },
}
LATER: dict[str, dict[str, object]] = {
    "outbound_messages": {
        "conversation_id": "conv-1",
        "text": "by the way",
        "source": "tool",
        "created_at": 1.0,
    },
    "unproved_agents": {"agent": "main", "since": 1.0},
}


def engine_of(url: str) -> Engine:
    address = database_address(url)
    if address.path is not None:
        return create_engine(f"sqlite:///{address.path}")
    return create_engine(address.url.replace("postgresql://", "postgresql+psycopg://"))


def move(connection: Connection, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    location = files("agentd.database").joinpath("migrations")
    config.set_main_option("script_location", str(location))
    command.upgrade(config, revision)


def write_earlier(url: str, revision: str) -> None:
    """Make a database as an earlier version left it."""
    engine = engine_of(url)
    rows = ROWS if revision == "0001" else {**ROWS, **LATER}
    with engine.begin() as connection:
        move(connection, revision)
        for name, row in rows.items():
            table = Table(name, MetaData(), autoload_with=connection)
            connection.execute(insert(table).values(**row))
    engine.dispose()


@pytest.mark.parametrize("revision", ["0001", "0002"])
async def test_rows_of_an_earlier_schema_are_kept_and_used(
    database_url: str, tmp_path: Path, revision: str
) -> None:
    write_earlier(database_url, revision)
    settings = {"database_url": database_url, "store_sessions": False}

    async with control(tmp_path, Parts(settings=settings)) as running:
        known = (await running.client.get("/chat/conv-1")).json()
        answer = (await running.say(conversation_id="conv-1")).json()
        path = "/chat/conv-1/messages"
        said = (await running.client.get(path)).json()["messages"]

    assert (known["session_id"], known["durable"]) == (SESSION, True)
    assert answer["session_id"] == SESSION
    assert [one["text"] for one in answer["outbound_messages"]] == (
        ["by the way"] if revision == "0002" else []
    )
    assert [one["content"] for one in said[:1]] == ["hello"]
    assert said[1]["status"] == "error"
    assert len(said) == 4


@pytest.mark.parametrize("revision", [None, "0001", "0002"])
async def test_of_hosts_that_start_at_once_one_moves_the_schema(
    postgres_url: str, revision: str | None
) -> None:
    if revision is not None:
        write_earlier(postgres_url, revision)

    async def start() -> Conversation | None:
        async with open_database(postgres_url) as database, database.read() as reading:
            moved = text("SELECT version_num FROM alembic_version")
            assert await reading.scalar(moved) == SCHEMA_REVISION
            return await get_conversation(reading, "conv-1")

    found = await asyncio.gather(*(start() for _number in range(4)))

    assert len({one.id if one else None for one in found}) == 1
    assert (found[0] is None) is (revision is None)


async def test_a_move_that_fails_leaves_the_database_as_it_was(
    postgres_url: str,
) -> None:
    """All of it is one transaction."""
    write_earlier(postgres_url, "0002")
    engine = engine_of(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE transcript_entries (id integer)"))

    with pytest.raises(Exception, match="transcript_entries"):
        async with open_database(postgres_url):
            pass

    with engine.begin() as connection:
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        made = connection.scalar(text("SELECT to_regclass('tasks')"))
        connection.execute(text("DROP TABLE transcript_entries"))
    engine.dispose()
    async with open_database(postgres_url) as database, database.read() as reading:
        said = await list_messages(reading, "conv-1", limit=9, offset=0)
        kept = await reading.execute(select(text("text FROM outbound_messages")))
    assert (revision, made) == ("0002", None)
    assert [one.content for one in said] == ["hello"]
    assert kept.scalars().all() == ["by the way"]
