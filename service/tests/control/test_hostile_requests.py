# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Requests made to hurt: huge numbers, half bodies, and much to hold or to list."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from starlette.types import Receive, Scope, Send

from agentd.api.edge import Edge, EdgeRules
from agentd.database.conversations import (
    IDLE,
    MAX_LISTED_CHARACTERS,
    Message,
    add_conversation,
    add_message,
    list_messages,
)
from agentd.database.open import open_database
from agentd.sessions.identity import SessionKey

from .running_app import control

TOKEN = "t0ken"


class Reached:
    """An app behind the edge that notes what reaches it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.asked = 0

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def get(self, path: str, *messages: dict[str, Any]) -> None:
        """Send a request of these messages through the edge."""
        given = list(messages)

        async def receive() -> MutableMapping[str, Any]:
            self.asked += 1
            return given.pop(0)

        async def send(_message: MutableMapping[str, Any]) -> None:
            return None

        token = f"Bearer {TOKEN}".encode()
        scope = {"type": "http", "path": path, "headers": [(b"authorization", token)]}
        await Edge(self, EdgeRules(TOKEN, "1", "c"))(scope, receive, send)


async def test_a_time_beyond_all_bounds_is_refused_and_nothing_runs(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        known = (await running.say()).json()["conversation_id"]
        refused = await running.say(conversation_id=known, max_execution_ms=10**400)
        told = (await running.client.get(f"/chat/{known}")).json()

    assert refused.status_code == 400
    assert told["status"] == "idle"


@pytest.mark.parametrize("path", ["/chat", "/chat/{}/messages"])
async def test_an_offset_that_no_database_has_is_refused(
    tmp_path: Path, path: str
) -> None:
    async with control(tmp_path) as running:
        known = (await running.say()).json()["conversation_id"]
        refused = await running.client.get(
            path.format(known), params={"offset": 10**30}
        )

    assert refused.status_code == 400


async def test_a_body_that_broke_off_is_not_taken_for_a_whole_one() -> None:
    app = Reached()
    begun = {"type": "http.request", "body": b'{"message":"x"}', "more_body": True}

    await app.get("/chat", begun, {"type": "http.disconnect"})

    assert app.bodies == []


async def test_a_body_that_does_not_end_is_given_up() -> None:
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    app = Reached()
    scope = {"type": "http", "path": "/chat", "headers": []}
    await Edge(app, EdgeRules(None, "1", "c", body_seconds=0.1))(scope, receive, send)

    assert (said[0]["status"], app.bodies) == (408, [])
    assert b"was not whole within 0.1 s" in said[1]["body"]


async def test_who_needs_no_token_is_not_read() -> None:
    app = Reached()

    await app.get("/health", {"type": "http.request", "body": b"x", "more_body": True})

    assert (app.bodies, app.asked) == ([b""], 0)


async def test_long_messages_come_in_several_answers(tmp_path: Path) -> None:
    content = "x" * (MAX_LISTED_CHARACTERS // 2)
    url = f"sqlite+aiosqlite:///{tmp_path}/agentd.db"

    async with open_database(url) as database:

        def store(connection: Connection) -> None:
            add_conversation(connection, SessionKey("main", "conv-1"), 1.0)
            for number in range(5):
                message = Message(
                    f"m{number}", "conv-1", "assistant", content, "success", 1.0
                )
                add_message(connection, message, IDLE)

        await database.do(store)
        async with database.read() as connection:
            first = await list_messages(connection, "conv-1", limit=9, offset=0)
            rest = await list_messages(connection, "conv-1", limit=9, offset=4)

    assert [message.id for message in first] == ["m0", "m1"]
    assert [message.id for message in rest] == ["m4"]


async def test_a_list_of_messages_tells_whether_it_is_all(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        known = (await running.say()).json()["conversation_id"]
        path = f"/chat/{known}/messages"
        part = (await running.client.get(path, params={"limit": 1})).json()
        whole = (await running.client.get(path)).json()

    assert (len(part["messages"]), part["more"]) == (1, True)
    assert (len(whole["messages"]), whole["more"]) == (2, False)
