# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""An agent side whose gateway is the offline model itself, noting all that it hears."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from conftest import Stack
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from agentd.offline_model.app import create_app
from agentd.spawner.control import SocketSpawner

SERVER = """
import json, os, sys
mark = "a marked" if "AGENTD_STREAM" in os.environ else "an unmarked"
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    if asked["method"] == "initialize":
        version = asked["params"]["protocolVersion"]
        told = {"protocolVersion": version, "capabilities": {"tools": {}},
                "serverInfo": {"name": "test", "version": "1"}}
    elif asked["method"] == "tools/list":
        told = {"tools": [{"name": "hello", "inputSchema": {"type": "object"}}]}
    else:
        text = mark + " hello from " + sys.argv[1]
        told = {"content": [{"type": "text", "text": text}]}
    answer = {"jsonrpc": "2.0", "id": asked["id"], "result": told}
    print(json.dumps(answer), flush=True)
"""


@dataclass
class Heard:
    """What the model was sent: headers and bodies, in order."""

    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    def system(self) -> str:
        """Return the newest request's system prompt."""
        return json.dumps(json.loads(self.bodies[-1])["system"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the offline model does, and note what was asked."""
        body = bytearray()

        async def noted() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body"):
                self.bodies.append(body.decode())
            return message

        pairs = scope["headers"]
        self.headers.append({name.decode(): value.decode() for name, value in pairs})
        await create_app()(scope, noted, send)


@asynccontextmanager
async def heard_side(directory: Path) -> AsyncIterator[tuple[Stack, Heard]]:
    """Yield a stack with a spawner and no agent side, and what its model hears."""
    stack = Stack(directory, ("main",))
    sockets = stack.sockets_directory / "main"
    for place in (sockets, stack.memory(), directory / "main" / "skill-data"):
        place.mkdir(parents=True)
    heard = Heard()
    config = uvicorn.Config(
        Starlette(routes=[Mount("/", heard)]),
        uds=str(sockets / "gateway.sock"),
        log_config=None,
        lifespan="off",
        ws="none",
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server._serve())
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            async with SocketSpawner(
                stack.sockets_directory, ("main",), time.monotonic
            ) as spawner:
                stack.use(spawner)
                yield stack, heard
        finally:
            await asyncio.to_thread(stack.stop)
            server.force_exit = server.should_exit = True
            await task


def server_words(directory: Path, says: str) -> dict[str, object]:
    """Return an MCP server of standard input and output with one tool, "hello"."""
    path = directory / "server.py"
    path.write_text(SERVER)
    return {"command": "/usr/bin/python3", "args": [str(path), says]}
