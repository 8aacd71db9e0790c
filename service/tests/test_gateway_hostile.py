# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Requests that mean harm: each is refused, and the other agent is served meanwhile."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import Stack
from hostile_requests import BODY, CLOSE, LENGTH, POST, ROWS
from models import KEY, UpstreamDouble, client, gateway, model, said
from starlette.responses import StreamingResponse

from agentd.gateway.forward import MAX_REQUESTS_PER_AGENT


async def exchange(stack: Stack, *pieces: bytes, agent: str = "main") -> bytes:
    """Send bytes as they are and return the whole answer."""
    path = stack.sockets_directory / agent / "gateway.sock"
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(20):
            return await reader.read()
    except TimeoutError:
        return b"HTTP/1.1 000 the connection stays open"
    except ConnectionError:
        return b""
    finally:
        writer.close()


def statuses(answer: bytes) -> list[int]:
    """Return the status of each answer on a connection."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.fixture
async def stack(short_path: Path) -> AsyncIterator[tuple[UpstreamDouble, Stack]]:
    """A gateway for two agents, with a model of the test's."""
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, "main", "mail") as running,
    ):
        yield upstream, running


async def test_a_hostile_request_is_refused_and_never_reaches_the_model(
    stack: tuple[UpstreamDouble, Stack],
) -> None:
    upstream, running = stack
    for row in ROWS:
        answer = await exchange(running, row.request)

        # Of what was sent too much, the end of the connection may be all that is seen.
        assert statuses(answer) in ([row.status], []), f"{row.name}: {answer[:200]!r}"
        assert KEY.encode() not in answer
    assert upstream.requests == []
    async with client(running, "mail") as mail:
        assert (await mail.post("/v1/messages", json=said("Hi"))).status_code == 200
    assert "Traceback" not in running.log("gateway")


async def test_requests_behind_each_other_are_answered_one_by_one(
    stack: tuple[UpstreamDouble, Stack],
) -> None:
    upstream, running = stack
    one = POST + LENGTH + b"\r\n" + BODY
    hidden = b"GET /v1/organizations HTTP/1.1\r\nHost: x\r\n\r\n"
    last = POST + CLOSE + LENGTH + b"\r\n" + BODY

    answer = await exchange(running, one + hidden + last)

    assert statuses(answer) == [200, 404, 200]
    assert [body for _url, _names, body in upstream.requests] == [BODY, BODY]


async def test_a_request_inside_a_body_stays_a_body(
    stack: tuple[UpstreamDouble, Stack],
) -> None:
    upstream, running = stack
    inner = POST + b"x-api-key: of-the-agent\r\n" + LENGTH + b"\r\n" + BODY
    head = POST + CLOSE + b"Content-Length: %d\r\n\r\n" % len(inner)

    answer = await exchange(running, head + inner)

    assert statuses(answer) == [200]
    assert [body for _url, _names, body in upstream.requests] == [inner]


async def test_what_an_agent_sends_slowly_holds_nobody_up(
    stack: tuple[UpstreamDouble, Stack],
) -> None:
    _upstream, running = stack
    path = running.sockets_directory / "main" / "gateway.sock"
    held = []
    for number in range(100):
        _reader, writer = await asyncio.open_unix_connection(path)
        half = POST + (LENGTH + b"\r\n{" if number % 2 else b"X-A: b")
        writer.write(half)
        held.append(writer)

    async with client(running, "mail") as mail:
        begun = time.monotonic()
        answer = await mail.post("/v1/messages", json=said("Hi"))

    assert answer.status_code == 200
    assert time.monotonic() - begun < 2
    for writer in held:
        writer.close()


async def test_large_bodies_of_one_agent_take_no_memory(
    stack: tuple[UpstreamDouble, Stack],
) -> None:
    """A body is passed on in pieces: thirty at once are not held."""
    upstream, running = stack
    piece = b"x" * 65_536

    async def pieces() -> AsyncIterator[bytes]:
        for _unused in range(400):
            yield piece

    async with client(running) as main:
        await main.post("/v1/messages", content=b"x")
        before = resident(running)
        async with asyncio.TaskGroup() as group:
            for _unused in range(4):
                group.create_task(main.post("/v1/messages", content=pieces()))
            most = before
            while len(upstream.requests) < 5:
                most = max(most, resident(running))
                await asyncio.sleep(0.02)

    assert most - before < 40 * 1024 * 1024


def resident(stack: Stack) -> int:
    """Return the gateway's resident bytes."""
    assert stack.gateway is not None
    status = Path(f"/proc/{stack.gateway.pid}/statm").read_text().split()
    return int(status[1]) * os.sysconf("SC_PAGESIZE")


async def test_the_first_byte_passes_at_once_though_the_model_stalls(
    stack: tuple[UpstreamDouble, Stack],
) -> None:
    """No buffering: a ping alone arrives while nothing else is sent."""
    upstream, running = stack
    stalled = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"e"
        await stalled.wait()
        yield b"nd"

    upstream.answer = lambda _: StreamingResponse(
        pieces(), media_type="text/event-stream"
    )
    async with (
        client(running) as main,
        main.stream("POST", "/v1/messages", json=said("Hi")) as response,
    ):
        chunks = response.aiter_raw()
        async with asyncio.timeout(5):
            first = await anext(chunks)
        stalled.set()
        rest = b"".join([chunk async for chunk in chunks])

    assert (first, rest) == (b"e", b"nd")


async def test_an_agent_asks_for_no_more_than_its_share_at_once(
    stack: tuple[UpstreamDouble, Stack],
) -> None:
    upstream, running = stack
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b": wait\n\n"
        await go_on.wait()

    upstream.answer = lambda _: StreamingResponse(pieces())
    async with client(running) as main, client(running, "mail") as mail:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(main.post("/v1/messages", json=said("Hi")))
                for _unused in range(MAX_REQUESTS_PER_AGENT + 8)
            ]
            while sum(task.done() for task in asked) < 8:
                await asyncio.sleep(0.01)
            other = group.create_task(mail.post("/v1/messages", json=said("Hi")))
            while len(upstream.requests) <= MAX_REQUESTS_PER_AGENT:
                await asyncio.sleep(0.01)
            go_on.set()
        found = sorted(task.result().status_code for task in asked)

    assert found == [200] * MAX_REQUESTS_PER_AGENT + [429] * 8
    assert other.result().status_code == 200
