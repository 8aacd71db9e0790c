# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control in this process on a real port, and WebSockets to it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from control.running_app import TOKEN, Control, Parts, control
from websockets.asyncio.client import ClientConnection, connect

from agentd.api.live_socket import LiveSocket
from agentd.api.protocol import SOCKET_OPTIONS, ControlProtocol
from agentd.serve import listen

Json = dict[str, Any]
MANGO = "Say mango."


class HastySocket(LiveSocket):
    """Waits shortly for slow readers."""

    slow_seconds = 0.5
    close_seconds = 0.5


class Hasty(ControlProtocol):
    """Waits shortly for slow readers."""

    slow_seconds = 0.5

    def socket_protocol(self) -> type[asyncio.Protocol]:
        return HastySocket


@dataclass
class Served:
    """A control with its port."""

    control: Control
    port: int

    async def queue(self, prompt: str = MANGO, **body: object) -> Json:
        """Queue a task and return it."""
        answer = await self.control.client.post(
            "/queue", json={"prompt": prompt, **body}, headers=signed_in()
        )
        assert answer.status_code == 202, answer.text
        found: Json = answer.json()
        return found

    async def ended(self, prompt: str = MANGO) -> str:
        """Queue a task, wait for its end and return its id."""
        task_id = str((await self.queue(prompt))["id"])
        await self.control.service.queue.finished(task_id, 10)
        return task_id

    def socket(self, task_id: str, query: str = "", **more: Any) -> connect:
        """Return a socket to a task's output, signed in by default."""
        return connect(
            f"ws://127.0.0.1:{self.port}/queue/{task_id}/socket{query}",
            **{"additional_headers": signed_in(), "proxy": None, **more},
        )


async def raw(port: int, path: str, *lines: str) -> socket.socket:
    """Return a connection that has sent a request and taken the answer's first line."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(found, ("127.0.0.1", port))
    token = f"Authorization: Bearer {TOKEN}"
    head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: here", token, *lines])
    await loop.sock_sendall(found, f"{head}\r\n\r\n".encode())
    answer = await loop.sock_recv(found, 12)
    assert answer in {b"HTTP/1.1 200", b"HTTP/1.1 101"}, answer
    return found


def signed_in() -> dict[str, str]:
    """Return the headers of whoever may."""
    return {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def served(directory: Path, parts: Parts | None = None) -> AsyncIterator[Served]:
    """Serve a control with a token on a free port."""
    used = parts or Parts(token=TOKEN)
    async with control(directory, used) as running:
        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            running.app,
            http=Hasty,
            ws="none",
            lifespan="off",
            log_config=None,
            **SOCKET_OPTIONS,
        )
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            yield Served(running, listener.getsockname()[1])
            running.service.output.dismiss()
            server.should_exit = True


async def heard(socket: ClientConnection) -> list[Json]:
    """Return the events until the socket is closed."""
    return [json.loads(text) async for text in socket]
