# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Large bodies are read one at a time, and hold up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from agentd.api.edge import MAX_BODY_BYTES, Edge, EdgeRules, is_large, large_bytes

UPLOAD = "/api/agents/upload"


class Held:
    """An app that answers when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.reached = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached += 1
        await receive()
        if scope["path"] == UPLOAD:
            await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def ask(edge: Edge, path: str, size: int) -> int:
    """Send a body of that size; return the status."""
    statuses: list[int] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(b"content-length", str(size).encode())],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await edge(scope, receive, send)
    return statuses[0]


async def test_a_second_large_body_waits_for_the_first_and_small_ones_do_not() -> None:
    app = Held()
    rules = EdgeRules(None, "1", "x", body_seconds=0.2, large_bytes=3_000_000)
    edge = Edge(app, rules)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(ask(edge, UPLOAD, 2_000_000))
        await asyncio.sleep(0.01)
        small = await ask(edge, "/chat", 100)
        late = await ask(edge, UPLOAD, 2_000_000)
        app.let.set()
    after = await ask(edge, UPLOAD, 2_000_000)
    over = await ask(edge, UPLOAD, 3_000_001)

    assert (small, late, first.result(), after, over) == (200, 503, 200, 200, 413)
    assert app.reached == 3


@pytest.mark.parametrize(
    ("headers", "large"),
    [
        ([(b"content-length", b"1000000")], False),
        ([(b"content-length", b"1000001")], True),
        ([(b"content-length", b"9" * 5000)], True),
        ([(b"content-length", b"-1")], True),
        ([(b"transfer-encoding", b"chunked")], True),
        ([], False),
    ],
)
def test_a_body_that_does_not_say_its_size_may_be_large(
    headers: Sequence[tuple[bytes, bytes]], large: bool
) -> None:
    assert is_large(dict(headers), large_bytes(10)) is large
    assert not is_large(dict(headers), MAX_BODY_BYTES)
