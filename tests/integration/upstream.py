# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The offline model behind a door that demands a key, in the place of the real API."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from agentd.offline_model.app import create_app

MOST_SECONDS = 300


@dataclass(frozen=True)
class Upstream:
    """A model API that answers only whoever has the key, and notes who asked."""

    key: str
    app: Starlette = field(default_factory=create_app)
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Let answers end."""
        self.ends.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers: MutableMapping[bytes, bytes] = dict(scope["headers"])
        given = headers.get(b"x-api-key", b"").decode()
        if given == self.key:
            self.accepted.append(scope["path"])
            await self.app(scope, receive, self._held_back(send))
            return
        self.refused.append(given)
        await JSONResponse({"error": "no key"}, status_code=401)(scope, receive, send)

    def _held_back(self, send: Send) -> Send:
        """Return what sends the end of an answer only when answers may end."""

        async def sending(message: Message) -> None:
            is_end = message["type"].endswith("body") and not message.get("more_body")
            if is_end:
                await asyncio.to_thread(self.ends.wait, MOST_SECONDS)
            await send(message)

        return sending


@contextmanager
def serving(upstream: Upstream, host: str, port: int) -> Iterator[str]:
    """Serve the upstream and yield its address."""
    settings: dict[str, Any] = {"lifespan": "off", "log_level": "critical"}
    server = uvicorn.Server(uvicorn.Config(upstream, host, port, **settings))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
