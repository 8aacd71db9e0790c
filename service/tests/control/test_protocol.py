# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What comes in on control's port and is no request, or not yet one."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from agentd.api.edge import Edge, EdgeRules
from agentd.api.protocol import ControlProtocol
from agentd.serve import GONE_MS, listen

Json = dict[str, Any]


class Hasty(ControlProtocol):
    """Waits shortly, and for few."""

    header_seconds = 0.2
    max_connections = 3


async def slow_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Take longer for an answer than headers may take."""
    while (await receive()).get("more_body"):
        continue
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await asyncio.sleep(0.5)
    await send({"type": "http.response.body", "body": b"slow"})


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """Serve on a port of this machine."""
    listener = listen("127.0.0.1", 0)
    edge = Edge(slow_app, EdgeRules(None, "1", "c"))
    config = uvicorn.Config(
        edge, http=Hasty, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
    listener.close()


async def send(port: int, *parts: bytes, pause: float = 0.0) -> tuple[int, Json | str]:
    """Send parts with pauses; return the status and body of the one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = bytearray()

    async def read() -> None:
        # Who writes on after the answer has the connection reset.
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                answer.extend(part)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        for part in parts:
            if not reading.done():
                writer.write(part)
                await asyncio.sleep(pause)
    writer.transport.abort()
    head, _gap, body = bytes(answer).partition(b"\r\n\r\n")
    text = body.decode()
    is_json = b"application/json" in head
    return int(head.split()[1]), json.loads(text) if is_json else text


async def test_whoever_is_gone_without_a_word_is_noticed() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as caller:
        caller.connect(listener.getsockname())
        taken, _address = listener.accept()
        with taken:
            found = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert found == GONE_MS


@pytest.mark.parametrize(
    "first", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: "]
)
async def test_a_request_whose_headers_do_not_come_is_given_up(first: bytes) -> None:
    async with serving() as port:
        status, body = await send(port, first)

    assert status == 408
    assert isinstance(body, dict) and "not whole within 0.2 s" in body["error"]
    assert len(body["request_id"]) == 36


async def test_headers_that_drip_do_not_prolong_the_time() -> None:
    drops = [b"GET / HTTP/1.1\r\n", *(f"X-{n}: 1\r\n".encode() for n in range(20))]

    async with serving() as port:
        status, _body = await send(port, *drops, pause=0.05)

    assert status == 408


async def test_an_answer_may_take_longer_than_headers() -> None:
    whole = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"

    async with serving() as port:
        status, body = await send(port, whole)

    assert (status, body) == (200, "slow")


async def test_a_connection_that_rests_between_requests_is_kept() -> None:
    whole = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"

    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for _time in range(2):
            writer.write(whole)
            answers.append(await reader.readuntil(b"slow"))
            # Longer than headers may take, and shorter than uvicorn keeps it.
            await asyncio.sleep(0.4)
        writer.close()

    assert [answer.split()[1] for answer in answers] == [b"200", b"200"]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 300_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_in_the_one_shape(nonsense: bytes) -> None:
    async with serving() as port:
        status, body = await send(port, nonsense + b"\r\n\r\n")

    assert status in {400, 501}
    assert isinstance(body, dict)
    assert body["error"] and body["request_id"]


async def test_more_connections_than_there_may_be_are_told_so() -> None:
    async with serving() as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _n in range(3)]
        await asyncio.sleep(0.05)
        status, body = await send(port, b"")
        for _reader, writer in held:
            writer.close()

    assert status == 503
    assert isinstance(body, dict) and "3 connections are open" in body["error"]
