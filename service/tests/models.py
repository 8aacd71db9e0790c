# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A model and a gateway before it, for tests of what passes between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from conftest import Stack, free_port
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "sk-ant-the-real-key"
STATUS_SOCKET = "status.sock"
CLIENT_SECONDS = 60
PRICES = {"claude": {"input": 1, "output": 5, "cache_write": 1.25, "cache_read": 0.1}}


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
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        self.requests.append((str(request.url), dict(request.headers), body))
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
        try:
            yield double
        finally:
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
        key = {"api_key_file": str(directory / "key")}
        await asyncio.to_thread(
            lambda: stack.start_gateway(upstream=upstream, **{**key, **settings})
        )
        yield stack
    finally:
        await asyncio.to_thread(stack.stop)


@asynccontextmanager
async def client(stack: Stack, agent: str = "main") -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client on an agent's socket."""
    path = str(stack.sockets_directory / agent / "gateway.sock")
    limits = httpx.Limits(max_connections=None)
    transport = httpx.AsyncHTTPTransport(uds=path, limits=limits)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://x", timeout=CLIENT_SECONDS
    ) as opened:
        yield opened


@asynccontextmanager
async def control(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client on the gateway's status socket, as control is one."""
    transport = httpx.AsyncHTTPTransport(uds=str(stack.directory / STATUS_SOCKET))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://x", timeout=CLIENT_SECONDS
    ) as opened:
        yield opened


def kept(directory: Path, **settings: object) -> dict[str, object]:
    """Return the settings of a gateway that keeps usage and tells control of it."""
    (directory / "usage").mkdir(exist_ok=True)
    places = {
        "usage_directory": str(directory / "usage"),
        "status_socket": str(directory / STATUS_SOCKET),
    }
    return {**places, **settings}


def said(text: str, **more: object) -> dict[str, object]:
    """Return a request that says something to the model."""
    messages = [{"role": "user", "content": text}]
    return {"model": "claude-x", "max_tokens": 100, "messages": messages, **more}


def budget(**rules: object) -> dict[str, object]:
    """Return the settings that give the agent "main" a budget."""
    return {"rules": {"main": rules}, "prices": PRICES}


async def usage_of(stack: Stack, agent: str = "main") -> dict[str, Any]:
    """Return what control is told of an agent."""
    async with control(stack) as asking:
        status = (await asking.get("/status")).json()
    return dict(status["agents"][agent])
