# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The gateway: one request stays one request, however its body is framed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from models import gateway, model
from starlette.types import Message

from agentd.gateway.account import Account
from agentd.gateway.credentials import Credentials
from agentd.gateway.exchange import Exchange, Upstream
from agentd.gateway_settings import AgentRules

BODY = b'{"messages":[]}'
IN_CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize("announced", [b"0", b"5", b"900"])
async def test_a_body_with_two_lengths_is_refused(
    short_path: Path, announced: bytes
) -> None:
    async with model() as upstream, gateway(short_path, upstream.url) as stack:
        path = stack.sockets_directory / "main" / "gateway.sock"
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(
            b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Length: " + announced + b"\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + IN_CHUNKS
        )
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()

        assert answer.startswith(b"HTTP/1.1 400")
        assert upstream.requests == []
        assert "Traceback" not in stack.log("gateway")


async def test_a_body_that_is_not_as_long_as_announced_is_refused() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async with model() as upstream, httpx.AsyncHTTPTransport() as way:
        none = Credentials(None, None, lambda: None)
        there = Upstream(way, upstream.url, 1024, none, is_offline=True)
        account = Account("main", AgentRules(), {}, lambda: 0.0)
        exchange = Exchange(there, "/v1/messages", account, receive)
        await exchange.run(
            {"headers": [(b"content-length", b"900")], "query_string": b""}, send
        )

    assert sent[0]["status"] == 502
