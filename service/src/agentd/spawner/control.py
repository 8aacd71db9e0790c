# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Control's end of the sockets: one listener for each agent, all else refused."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from agentd.errors import AgentUnknown
from agentd.log import get_log
from agentd.spawner.listen import listen, socket_path
from agentd.spawner.peer import Peer
from agentd.spawner.protocol import AgentState, CliProcess, CliStart

SOCKET_NAME = "control.sock"
ACCEPT_PAUSE_SECONDS = 0.002

_log = get_log("spawner")


class SocketSpawner:
    """Listens on one socket for each agent; the agent sides dial."""

    def __init__(
        self,
        sockets_directory: Path,
        agent_names: Iterable[str],
        clock: Callable[[], float],
    ) -> None:
        self._directory = sockets_directory
        self._peers = {name: Peer(name, clock) for name in agent_names}
        self._tasks = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen on every socket; raise SocketRefused if one cannot be had."""
        with contextlib.ExitStack() as opened:
            listeners = {name: self._listen(opened, name) for name in self._peers}
            group = await self._tasks.enter_async_context(asyncio.TaskGroup())
            self._tasks.push(opened.pop_all())
        for name, listener in listeners.items():
            peer = self._peers[name]
            task = group.create_task(self._accept(listener, peer, group))
            self._tasks.callback(task.cancel)
            self._tasks.callback(peer.close)
        return self

    def _listen(self, opened: contextlib.ExitStack, name: str) -> socket.socket:
        path = socket_path(self._directory, name, SOCKET_NAME)
        listener = opened.enter_context(listen(path))
        opened.callback(path.unlink, missing_ok=True)
        return listener

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop every connection and stop to listen."""
        # The group is not told of the error: it would come out wrapped by it.
        await self._tasks.aclose()

    async def _accept(
        self, listener: socket.socket, peer: Peer, group: asyncio.TaskGroup
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _unused = await loop.sock_accept(listener)
            except OSError as error:
                _log.warning("accept_failed", agent=peer.name, reason=str(error))
                await asyncio.sleep(1.0)
                continue
            if peer.has_room():
                group.create_task(peer.serve(connection))
            else:
                connection.close()
            # An agent that dials without end slows down itself only.
            await asyncio.sleep(ACCEPT_PAUSE_SECONDS)

    def states(self) -> Mapping[str, AgentState]:
        """Return the state of every declared agent by name."""
        return {name: peer.state() for name, peer in self._peers.items()}

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        """Return the agent's answer to one of the fixed calls."""
        return await self._peer(agent).call(name, parameters, timeout_seconds)

    async def start_cli(self, agent: str, start: CliStart) -> CliProcess:
        """Start a CLI process in the agent; raise CliFailed if it cannot be."""
        return await self._peer(agent).start_cli(start)

    def _peer(self, agent: str) -> Peer:
        peer = self._peers.get(agent)
        if peer is None:
            raise AgentUnknown(
                f'Cannot reach agent "{agent}": it is not declared. '
                "Declare it in deployment_agents, and deploy again."
            )
        return peer
