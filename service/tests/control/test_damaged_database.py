# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A damaged database is set aside at start; one that is only in trouble never is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection

from agentd.database.conversations import (
    IDLE,
    Message,
    add_conversation,
    add_message,
    count_conversations,
)
from agentd.database.damaged import check
from agentd.database.open import Database, open_database
from agentd.errors import DatabaseFailed
from agentd.sessions.identity import SessionKey

from .running_app import control


def url(directory: Path) -> str:
    return f"sqlite+aiosqlite:///{directory}/agentd.db"


def fill(connection: Connection) -> None:
    for number in range(50):
        key = SessionKey("main", f"conv-{number}")
        add_conversation(connection, key, 1.0)
        text = f"{number} " * 2000
        add_message(
            connection,
            Message(f"m{number}", key.conversation_id, "user", text, "said", 1.0),
            IDLE,
        )


def mount(*options: str) -> None:
    subprocess.run(["mount", *options], check=True)


def unmount(directory: Path) -> None:
    subprocess.run(["umount", "-l", str(directory)], check=True)


def fill_up(directory: Path) -> None:
    with (directory / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


async def count(database: Database) -> int:
    async with database.read() as connection:
        return await count_conversations(connection)


async def filled(directory: Path) -> Path:
    async with open_database(url(directory)) as database:
        await database.do(fill)
    return directory / "agentd.db"


def nonsense(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def punch(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 40 * 4096)


@pytest.mark.parametrize("damage", [nonsense, truncate, punch])
async def test_a_damaged_database_is_set_aside_and_an_empty_one_begun(
    tmp_path: Path, damage: object
) -> None:
    """G06."""
    path = await filled(tmp_path)
    damage(path)  # type: ignore[operator]
    broken = path.read_bytes()

    async with open_database(url(tmp_path)) as database:
        assert await count(database) == 0
        (name,) = database.set_aside()
        await database.do(fill)
    async with open_database(url(tmp_path)) as database:
        assert await count(database) == 50
        assert database.set_aside() == [name]

    assert (tmp_path / name).read_bytes() == broken


async def test_a_second_damage_does_not_overwrite_what_was_kept_of_the_first(
    tmp_path: Path,
) -> None:
    """G06."""
    for _time in range(2):
        nonsense(tmp_path / "agentd.db")
        async with open_database(url(tmp_path)) as database:
            names = database.set_aside()

    assert len(names) == 2


async def test_what_was_set_aside_makes_health_degraded_and_control_serve(
    tmp_path: Path,
) -> None:
    """G06: reported for as long as the file lies there."""
    nonsense(tmp_path / "agentd.db")

    async with control(tmp_path) as running:
        health = await running.client.get("/health")
        answer = await running.say()

    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert "set aside" in " ".join(health.json()["problems"])
    assert answer.json()["status"] == "success"


async def test_a_database_that_is_locked_is_left_as_it_is(tmp_path: Path) -> None:
    path = await filled(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        assert check(path) is None

    async with open_database(url(tmp_path)) as database:
        assert await count(database) == 50


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("fault", ["read-only", "full"])
async def test_a_database_on_a_disk_in_trouble_is_left_as_it_is(
    tmp_path: Path, fault: str
) -> None:
    """G06: real mounts; nothing is wrong with the file."""
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path))
    try:
        path = await filled(tmp_path)
        if fault == "full":
            fill_up(tmp_path)
        else:
            mount("-o", "remount,ro", str(tmp_path))
        before = path.read_bytes()
        try:
            async with open_database(url(tmp_path)) as database:
                await count(database)
                kept = database.set_aside()
        except DatabaseFailed:
            kept = [one.name for one in tmp_path.glob("*.damaged-*")]
        after = path.read_bytes()
    finally:
        unmount(tmp_path)

    assert kept == []
    assert after == before


async def test_a_database_that_is_a_directory_is_refused_and_left(
    tmp_path: Path,
) -> None:
    (tmp_path / "agentd.db").mkdir()

    with pytest.raises(DatabaseFailed, match=r"agentd\.db"):
        async with open_database(url(tmp_path)):
            pass

    assert [path.name for path in tmp_path.iterdir()] == ["agentd.db"]


async def test_what_a_killed_probe_left_is_removed(tmp_path: Path) -> None:
    """G06: a leftover temporary file is ignored and removed."""
    (tmp_path / ".agentd-probe-x1").write_bytes(b"probe")

    async with open_database(url(tmp_path)):
        pass

    assert not (tmp_path / ".agentd-probe-x1").exists()


async def test_rows_of_the_first_schema_are_kept(tmp_path: Path) -> None:
    """An upgrade adds columns and tables, and loses nothing."""
    session = "33333333-3333-4333-8333-333333333333"
    with closing(sqlite3.connect(tmp_path / "agentd.db")) as old:
        old.executescript(FIRST_SCHEMA)
        old.execute(
            "INSERT INTO conversations VALUES ('conv-1', 'main', 'running', 1, 2, 1)"
        )
        old.execute(
            "INSERT INTO messages VALUES"
            " ('m1', 'conv-1', 1, 'user', NULL, NULL, 'hello', 'said', 1)"
        )
        old.execute(
            f"INSERT INTO sessions VALUES ('main', 'conv-1', '{session}', 1, 2)"
        )
        old.commit()

    async with control(tmp_path) as running:
        known = (await running.client.get("/chat/conv-1")).json()
        third = (await running.say(conversation_id="conv-1")).json()
        path = "/chat/conv-1/messages"
        said = (await running.client.get(path)).json()["messages"]

    assert (known["session_id"], known["durable"]) == (session, True)
    assert third["session_id"] == session
    assert [one["content"] for one in said[:1]] == ["hello"]
    assert said[1]["status"] == "error"
    assert len(said) == 4


FIRST_SCHEMA = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0001');
CREATE TABLE conversations (
    id VARCHAR(64) NOT NULL PRIMARY KEY, agent VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL, created_at FLOAT NOT NULL,
    last_activity FLOAT NOT NULL, message_count INTEGER NOT NULL,
    CONSTRAINT conversations_agent_id UNIQUE (agent, id)
);
CREATE INDEX conversations_last_activity ON conversations (last_activity);
CREATE TABLE messages (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    conversation_id VARCHAR(64) NOT NULL
        REFERENCES conversations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, role VARCHAR(16) NOT NULL, sender VARCHAR(256),
    sender_name VARCHAR(256), content TEXT NOT NULL, status VARCHAR(16) NOT NULL,
    created_at FLOAT NOT NULL,
    CONSTRAINT messages_position UNIQUE (conversation_id, position)
);
CREATE TABLE sessions (
    agent VARCHAR(64) NOT NULL, conversation_id VARCHAR(64) NOT NULL,
    session_id VARCHAR(36) NOT NULL, durable BOOLEAN NOT NULL,
    updated_at FLOAT NOT NULL, PRIMARY KEY (agent, conversation_id),
    CONSTRAINT sessions_conversation FOREIGN KEY (agent, conversation_id)
        REFERENCES conversations (agent, id) ON DELETE CASCADE,
    CONSTRAINT sessions_agent_session_id UNIQUE (agent, session_id)
);
CREATE TABLE probes (id INTEGER NOT NULL PRIMARY KEY, at FLOAT NOT NULL);
"""
