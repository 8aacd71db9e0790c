# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Handshakes that are none: answered, and no connection is held for them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from output.served import served

HANDSHAKE = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("x", b"Content-Length: 5\r\n\r\nabcde"),
        ("x", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("x", b"X-A: b\r\n" * 200 + b"\r\n"),
        ("x", b"X-A: " + b"b" * 9_000 + b"\r\n\r\n"),
        ("x" * 9_000, b"\r\n"),
    ],
    ids=["a body", "chunks", "many headers", "a long header", "a long path"],
)
async def test_what_is_no_handshake_is_refused_and_its_connection_closed(
    tmp_path: Path, path: str, more: bytes
) -> None:
    """J13: nobody without the token holds a connection for nothing."""
    async with served(tmp_path) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        first = f"GET /queue/{path}/socket HTTP/1.1\r\n".encode()
        writer.write(first + HANDSHAKE + more)
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()

    head, _separator, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 "), head
    assert "without a body" in json.loads(body)["error"]
