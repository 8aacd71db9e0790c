# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control in this process, with a scripted engine and scripted agents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from agentd.api.state import Service
from agentd.app import create_app
from agentd.clock import Clock
from agentd.conversations.turns import Turns
from agentd.running import Edges
from agentd.settings import AgentEntry, ControlSettings

from .fakes import FakeEngine, FakeSpawner

TOKEN = "s3cret"
ANSWER_KEYS = {
    *("status", "conversation_id", "message_id", "agent", "result", "error"),
    *("model", "session_id", "duration_ms", "persisted", "resumed", "notice"),
    *("outbound_messages", "session_end_marker", "session_end_marker_detected"),
    *("last_message_uuid", "cost_usd"),
}


@dataclass
class Control:
    """A running app with what it stands on."""

    client: httpx.AsyncClient
    engine: FakeEngine
    spawner: FakeSpawner
    turns: Turns
    service: Service
    app: FastAPI

    async def say(self, message: str = "hello", **body: object) -> httpx.Response:
        return await self.client.post("/chat", json={"message": message, **body})


@dataclass
class Parts:
    """What a test may change before control starts."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    spawner: FakeSpawner = field(default_factory=FakeSpawner)
    token: str | None = None
    stop: Callable[[str], None] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)


@asynccontextmanager
async def control(
    directory: Path, parts: Parts | None = None
) -> AsyncIterator[Control]:
    used = parts or Parts()
    names = list(used.spawner.connected)
    settings = ControlSettings(
        component="control",
        deployment="demo",
        listen_host="127.0.0.1",
        agents=[AgentEntry(name=name) for name in names],
        max_execution_seconds=60,
        **{
            "database_url": f"sqlite+aiosqlite:///{directory}/agentd.db",
            **used.settings,
        },
    )
    edges = Edges(
        spawner=used.spawner, token=used.token, clock=used.clock, stop=used.stop
    )
    app = create_app(settings, engine=used.engine, edges=edges)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://control") as client,
    ):
        service: Service = app.state.service
        yield Control(client, used.engine, used.spawner, service.turns, service, app)


def events(text: str) -> list[tuple[str, dict[str, object]]]:
    """Return the events of a stream, without comments."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found
