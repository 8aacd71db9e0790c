# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A gateway before the forge, and the agents' relays on loopback before that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stack import Stack, free_port

from agentd.agent.relay import Relay

from .stand_in import git

STATUS_SOCKET = "status.sock"


@dataclass
class Reached:
    """Where each agent finds the forge."""

    stack: Stack
    ports: dict[str, int] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)

    async def start(self) -> None:
        """Start the gateway, again if it was killed."""
        await asyncio.to_thread(lambda: self.stack.start_gateway(**self.settings))

    def url(self, name: str, agent: str = "main", forge: str = "forge") -> str:
        """Return the address of a repository as that agent has it."""
        return f"http://127.0.0.1:{self.ports[agent]}/git/{forge}/{name}.git"

    @property
    def status_socket(self) -> Path:
        """Where control asks the gateway."""
        return self.stack.directory / STATUS_SOCKET

    async def exchange(self, *pieces: bytes, agent: str = "main") -> bytes:
        """Send bytes as they are to the gateway and return the whole answer."""
        path = self.stack.sockets_directory / agent / "gateway.sock"
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            async with asyncio.timeout(20):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def git(self, directory: Path, *words: str) -> str:
        """Run git as an agent does; fail with what it said."""
        return await asyncio.to_thread(git, directory, *words)


@asynccontextmanager
async def through_gateway(
    directory: Path, forges: Mapping[str, object], *agents: str
) -> AsyncIterator[Reached]:
    """Yield a running gateway that knows these forges, reached by relays."""
    stack = Stack(directory, agents or ("main",))
    for agent in stack.agents:
        (stack.sockets_directory / agent).mkdir(parents=True)
    reached = Reached(stack)
    status = str(reached.status_socket)
    reached.settings = {"forges": dict(forges), "status_socket": status}
    try:
        await reached.start()
        async with AsyncExitStack() as opened:
            for agent in stack.agents:
                path = stack.sockets_directory / agent / "gateway.sock"
                relay = Relay(str(path), lambda: {"ok": True})
                await opened.enter_async_context(relay)
                reached.ports[agent] = free_port()
                server = await relay.listen(reached.ports[agent])
                await opened.enter_async_context(server)
                opened.callback(relay.close)
            yield reached
    finally:
        await asyncio.to_thread(stack.stop)
