# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The gateway: what passes, whose key goes out, and how agents are told apart."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from conftest import Stack, free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agentd.gateway.usage import MAX_LINE_BYTES, UsageReader
from agentd.offline_model.stream import event

KEY = "sk-ant-the-real-key"


@dataclass
class UpstreamDouble:
    """A model that notes what it is sent and answers as the test says."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[Request], Response] = field(
        default=lambda _: JSONResponse({"usage": {"input_tokens": 3}})
    )
    dropped: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, request: Request) -> Response:
        """Note the request and answer it."""
        self.requests.append(
            (str(request.url), dict(request.headers), await request.body())
        )
        return self.answer(request)


@asynccontextmanager
async def model() -> AsyncIterator[UpstreamDouble]:
    """Yield a model that listens on a port of its own."""
    double = UpstreamDouble()
    port = free_port()
    app = Starlette(
        routes=[Route("/{path:path}", double.serve, methods=["GET", "POST"])]
    )
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.01)
        double.url = f"http://127.0.0.1:{port}"
        yield double
        server.force_exit = server.should_exit = True
        await task


@asynccontextmanager
async def gateway(
    directory: Path, upstream: str, *agents: str, **settings: object
) -> AsyncIterator[Stack]:
    """Yield a running gateway over that model."""
    stack = Stack(directory, agents or ("main",))
    for agent in stack.agents:
        (stack.sockets_directory / agent).mkdir(parents=True)
    (directory / "key").write_text(KEY + "\n")
    try:
        await asyncio.to_thread(
            lambda: stack.start_gateway(
                upstream=upstream, api_key_file=str(directory / "key"), **settings
            )
        )
        yield stack
    finally:
        await asyncio.to_thread(stack.stop)


@asynccontextmanager
async def client(stack: Stack, agent: str = "main") -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client on an agent's socket."""
    path = str(stack.sockets_directory / agent / "gateway.sock")
    transport = httpx.AsyncHTTPTransport(uds=path)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as opened:
        yield opened


async def test_only_allowed_headers_pass_and_the_key_is_the_gateway_s(
    short_path: Path,
) -> None:
    async with model() as upstream, gateway(short_path, upstream.url) as stack:
        async with client(stack) as agent:
            response = await agent.post(
                "/v1/messages?beta=true&evil=1",
                json={"messages": []},
                headers={
                    "x-api-key": "the-agent-s",
                    "authorization": "Bearer the-agent-s",
                    "cookie": "a=b",
                    "x-forwarded-for": "1.2.3.4",
                    "anthropic-beta": "beta-1",
                    "x-stainless-lang": "js",
                    "x-claude-code-session-id": "s",
                },
            )

        assert response.status_code == 200
        url, headers, body = upstream.requests[0]
        assert url == f"{upstream.url}/v1/messages"
        assert json.loads(body) == {"messages": []}
        assert headers["x-api-key"] == KEY
        assert headers["anthropic-beta"] == "beta-1"
        assert headers["x-stainless-lang"] == "js"
        assert headers["x-claude-code-session-id"] == "s"
        assert not {"authorization", "cookie", "x-forwarded-for"} & set(headers)


async def test_the_key_is_in_no_log_and_in_no_answer(short_path: Path) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, log_level="debug") as stack,
    ):
        upstream.answer = lambda request: JSONResponse(
            {"type": "error"},
            status_code=401,
            headers={"x-api-key": request.headers["x-api-key"], "request-id": "r1"},
        )
        async with client(stack) as agent:
            response = await agent.post("/v1/messages", json={})
            health = await agent.get("/health")

        assert response.status_code == 401
        assert response.headers["request-id"] == "r1"
        assert KEY not in str(response.headers) + response.text + health.text
        assert KEY not in stack.log("gateway")


async def test_no_other_path_or_method_reaches_the_model(short_path: Path) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url) as stack,
        client(stack) as agent,
    ):
        for method, path in (
            ("GET", "/v1/messages"),
            ("PUT", "/v1/messages"),
            ("POST", "/v1/messages/"),
            ("POST", "/v1/messages/batches"),
            ("POST", "/v1/files"),
            ("POST", "/v1/messages/../files"),
            ("GET", "/v1/organizations"),
            ("POST", "//v1/messages"),
            ("POST", "/api/oauth/token"),
            ("POST", "/health"),
        ):
            response = await agent.request(method, path)

            assert response.status_code in {404, 405}, path
            assert "error" in response.json()
        assert upstream.requests == []


async def test_two_agents_are_told_apart_by_their_sockets_alone(
    short_path: Path,
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, "main", "mail") as stack,
    ):
        async with client(stack) as main, client(stack, "mail") as mail:
            await main.post("/v1/messages", json={}, headers={"host": "mail"})

            of_main = (await main.get("/health")).json()
            of_mail = (await mail.get("/health")).json()

        assert of_main["agent"] == "main"
        assert of_main["usage"]["input_tokens"] == 3
        assert of_mail["agent"] == "mail"
        assert of_mail["usage"]["requests"] == 0


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


async def test_a_body_over_the_bound_is_refused_by_its_length(
    short_path: Path,
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, max_request_bytes=2000) as stack,
        client(stack) as agent,
    ):
        response = await agent.post("/v1/messages", content=b"x" * 3000)

        assert response.status_code == 413
        assert response.json()["error"]["type"] == "request_too_large"
        assert upstream.requests == []


async def test_a_body_over_the_bound_is_refused_also_without_a_length(
    short_path: Path,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    async with (
        model() as upstream,
        gateway(short_path, upstream.url, max_request_bytes=2000) as stack,
        client(stack) as agent,
    ):
        response = await agent.post("/v1/messages", content=pieces())

        assert response.status_code == 413
        assert upstream.requests == []


@pytest.mark.parametrize("status", [400, 429, 500, 529])
async def test_an_error_of_the_model_is_passed_on_once(
    short_path: Path, status: int
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url) as stack,
        client(stack) as agent,
    ):
        upstream.answer = lambda _: JSONResponse(
            {"type": "error", "n": 1}, status_code=status, headers={"retry-after": "3"}
        )

        response = await agent.post("/v1/messages", json={})

        assert response.status_code == status
        assert response.json() == {"type": "error", "n": 1}
        assert response.headers["retry-after"] == "3"
        assert len(upstream.requests) == 1


async def test_a_model_that_is_down_gives_a_clear_502(short_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with gateway(short_path, url) as stack, client(stack) as agent:
        response = await agent.post("/v1/messages", json={})

        assert response.status_code == 502
        message = response.json()["error"]["message"]
        assert url in message and "upstream" in message


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


async def test_many_connections_of_one_agent_leave_the_other_served(
    short_path: Path,
) -> None:
    async with gateway(short_path, "offline", "main", "mail") as stack:
        path = str(stack.sockets_directory / "main" / "gateway.sock")
        held = [await asyncio.open_unix_connection(path) for _ in range(300)]

        async with client(stack, "mail") as mail:
            begun = time.monotonic()
            response = await mail.get("/health")

        assert response.status_code == 200
        assert time.monotonic() - begun < 2
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0)


def test_usage_is_found_across_pieces_and_lines_without_end_are_dropped() -> None:
    reader = UsageReader(is_stream=True)
    start = event("message_start", message={"usage": {"input_tokens": 2}})

    reader.feed(b"data: " + b"x" * (2 * MAX_LINE_BYTES))
    reader.feed(b'"usage"\n')
    for byte in start:
        reader.feed(bytes((byte,)))
    reader.feed(b'data: {"usage": broken\n')

    assert reader.finish() == {"input_tokens": 2}
