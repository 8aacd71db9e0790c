# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The gateway's streams: as they come, until an end leaves, until it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

from models import client, gateway, model
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from agentd.gateway.status import Usage
from agentd.gateway.usage import MAX_LINE_BYTES, AnswerReader
from agentd.offline_model.stream import event


async def test_an_answer_streams_as_it_comes_and_its_tokens_are_counted(
    short_path: Path,
) -> None:
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        usage = {"input_tokens": 7, "output_tokens": 1}
        yield event("message_start", message={"usage": usage})
        await go_on.wait()
        yield event("message_delta", usage={"output_tokens": 5})

    async with (
        model() as upstream,
        gateway(short_path, upstream.url) as stack,
        client(stack) as agent,
    ):
        upstream.answer = lambda _: StreamingResponse(
            pieces(), media_type="text/event-stream"
        )
        async with agent.stream("POST", "/v1/messages", json={}) as response:
            chunks = response.aiter_raw()
            async with asyncio.timeout(5):
                first = await anext(chunks)
            go_on.set()
            rest = b"".join([chunk async for chunk in chunks])

        assert b"message_start" in first and b"message_delta" in rest
        usage = (await agent.get("/health")).json()["usage"]
        assert usage["input_tokens"] == 7
        assert usage["output_tokens"] == 5


async def test_an_agent_that_goes_away_ends_the_model_s_work(
    short_path: Path,
) -> None:
    gone = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b": wait\n\n"
                await asyncio.sleep(0.02)
        finally:
            gone.set()

    async with (
        model() as upstream,
        gateway(short_path, upstream.url) as stack,
        client(stack) as agent,
    ):
        upstream.answer = lambda _: StreamingResponse(pieces())
        async with agent.stream("POST", "/v1/messages", json={}) as response:
            await anext(response.aiter_raw())

        async with asyncio.timeout(5):
            await gone.wait()


async def test_connections_to_the_model_are_used_again(short_path: Path) -> None:
    ports: list[int] = []

    def answer(request: Request) -> Response:
        assert request.client is not None
        ports.append(request.client.port)
        return JSONResponse({})

    async with (
        model() as upstream,
        gateway(short_path, upstream.url) as stack,
        client(stack) as agent,
    ):
        upstream.answer = answer
        for _unused in range(40):
            await agent.post("/v1/messages", json={})

        assert len(ports) == 40
        assert len(set(ports)) <= 2


async def test_stopping_lets_a_stream_end_and_removes_the_sockets(
    short_path: Path,
) -> None:
    async with gateway(short_path, "offline") as stack, client(stack) as agent:
        text = "answer slowly for 1 seconds"
        body = {"stream": True, "messages": [{"role": "user", "content": text}]}
        async with agent.stream("POST", "/v1/messages", json=body) as response:
            chunks = response.aiter_raw()
            await anext(chunks)
            assert stack.gateway is not None
            os.kill(stack.gateway.pid, signal.SIGTERM)
            rest = b"".join([chunk async for chunk in chunks])

        assert b"message_stop" in rest
        assert await asyncio.to_thread(stack.gateway.wait, 10) == 0
        assert not (stack.sockets_directory / "main" / "gateway.sock").exists()


async def test_a_stop_in_the_middle_of_the_start_is_not_lost(short_path: Path) -> None:
    async with gateway(short_path, "offline") as stack:
        for _unused in range(3):
            assert stack.gateway is not None
            # Its socket is there before it serves.
            os.kill(stack.gateway.pid, signal.SIGTERM)
            assert await asyncio.to_thread(stack.gateway.wait, 15) == 0
            await asyncio.to_thread(stack.start_gateway)


async def test_many_connections_of_one_agent_leave_the_other_served(
    short_path: Path,
) -> None:
    async with gateway(short_path, "offline", "main", "mail") as stack:
        path = str(stack.sockets_directory / "main" / "gateway.sock")
        held = [await asyncio.open_unix_connection(path) for _unused in range(300)]

        async with client(stack, "mail") as mail:
            begun = time.monotonic()
            response = await mail.get("/health")

        assert response.status_code == 200
        assert time.monotonic() - begun < 2
        for _unused, writer in held:
            writer.close()
        await asyncio.sleep(0)


def test_usage_is_found_across_pieces_and_lines_without_end_are_dropped() -> None:
    reader = AnswerReader(is_stream=True)
    start = event("message_start", message={"usage": {"input_tokens": 2}})

    reader.feed(b"data: " + b"x" * (2 * MAX_LINE_BYTES))
    reader.feed(b'"usage"\n')
    for byte in start:
        reader.feed(bytes((byte,)))
    reader.feed(b'data: {"usage": broken\n')

    assert reader.tokens(whole=True) == Usage(input_tokens=2)
