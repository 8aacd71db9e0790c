# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whoever floods what needs no token keeps nobody from signing in."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from starlette.types import Message, Receive, Scope, Send

from agentd.api.edge import MAX_BODY_BYTES, Edge, EdgeRules
from agentd.api.open_bodies import MOST_HELD_BYTES

FLOODS = MOST_HELD_BYTES // MAX_BODY_BYTES


def posted(path: str) -> Scope:
    """Return a request without a token."""
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [],
    }


async def form() -> Message:
    """Send the form of the sign-in."""
    body = b"token=" + b"t" * 99
    return {"type": "http.request", "body": body, "more_body": False}


async def test_one_signs_in_while_webhooks_are_flooded() -> None:
    answered: list[int] = []
    held, over = asyncio.Semaphore(0), asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 303, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    edge = Edge(app, EdgeRules("token", "1", "commit"))

    async def flood() -> None:
        pieces = iter([b"x" * (MAX_BODY_BYTES - 1)])

        async def receive() -> Message:
            piece = next(pieces, None)
            if piece is None:
                held.release()
                await over.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": True}

        await edge(posted("/webhooks/github"), receive, send)

    async with AsyncExitStack() as stack:
        floods = await stack.enter_async_context(asyncio.TaskGroup())
        stack.callback(over.set)
        for _flood in range(FLOODS):
            floods.create_task(flood())
            await held.acquire()
        # Not even the form would fit beside them.
        await edge(posted("/dashboard/sign-in"), form, send)

    assert answered == [303]
