# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A running gateway with the offline model and running agent sides, for any test."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from forge.fixtures import forge, forge_ssh
from servers.databases import database_url
from servers.fixtures import (
    cluster,
    cluster_of_session,
    postgres_server,
    postgres_url,
    redis_server,
    redis_server_of_session,
    sentinels,
)

import agentd
from agentd.spawner.control import SocketSpawner

__all__ = [
    "cluster",
    "cluster_of_session",
    "database_url",
    "forge",
    "forge_ssh",
    "postgres_server",
    "postgres_url",
    "redis_server",
    "redis_server_of_session",
    "sentinels",
]

START_SECONDS = 20.0
STOP_SECONDS = 20.0
DEPLOYMENT = "test"


@dataclass
class Stack:
    """The processes beside control, and where they keep what."""

    directory: Path
    agents: tuple[str, ...]
    drain_seconds: float = 5
    gateway: subprocess.Popen[bytes] | None = None
    sides: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    """Words before each command, which end in one that becomes the command."""
    _spawner: SocketSpawner | None = None

    @property
    def sockets_directory(self) -> Path:
        """Control's and the gateway's sockets: <agent>/control.sock, gateway.sock."""
        return self.directory / "s"

    @property
    def spawner(self) -> SocketSpawner:
        """The spawner that the fixture started."""
        assert self._spawner is not None, "the stack was started without a spawner"
        return self._spawner

    def use(self, spawner: SocketSpawner) -> None:
        """Let the test's own spawner be the stack's."""
        self._spawner = spawner

    def memory(self, agent: str = "main") -> Path:
        """The agent's working directory; its CLI's configuration is .claude in it."""
        return self.directory / agent / "memory"

    @property
    def definitions(self) -> Path:
        """What is uploaded: agents, skills and webhooks below it."""
        return self.directory / "definitions"

    def log(self, name: str) -> str:
        """What a process wrote: "gateway", or an agent's name."""
        return (self.directory / f"{name}.log").read_text()

    def start_gateway(self, **settings: object) -> None:
        """Start the gateway over every agent's socket."""
        values = {
            "component": "gateway",
            "deployment": DEPLOYMENT,
            "sockets_directory": str(self.sockets_directory),
            "agents": list(self.agents),
            "upstream": "offline",
            "drain_seconds": self.drain_seconds,
            **settings,
        }
        self.gateway = self._start("gateway", "gateway", values)
        for agent in self.agents:
            path = self.sockets_directory / agent / "gateway.sock"
            _wait_for(partial(_connects, str(path)), "the gateway's socket")

    def start_side(self, agent: str = "main", /, **settings: object) -> None:
        """Start an agent side; it dials control's socket until that is there."""
        values = {
            "component": "agent",
            "deployment": DEPLOYMENT,
            "agent": agent,
            "control_socket": str(self.sockets_directory / agent / "control.sock"),
            "gateway_socket": str(self.sockets_directory / agent / "gateway.sock"),
            "working_directory": str(self.memory(agent)),
            "config_directory": str(self.memory(agent) / ".claude"),
            "home_directory": str(self.memory(agent)),
            "skill_data_directory": str(self.directory / agent / "skill-data"),
            "org_directory": str(self.directory / "org"),
            "org_skills_directory": str(self.directory / "no-legacy-skills"),
            "built_in_skills_directory": str(self.directory / "built-in-skills"),
            "definitions_directory": str(self.definitions / "agents"),
            "uploaded_skills_directory": str(self.definitions / "skills"),
            "built_in_definitions_directory": str(
                self.directory / "built-in-definitions"
            ),
            "managed_directory": str(self.directory / "managed"),
            "credentials_directory": str(self.directory / agent / "credentials"),
            "relay_port": free_port(),
            "drain_seconds": self.drain_seconds,
            # The CLI refuses to pass over permissions as root without this.
            "environment": {"IS_SANDBOX": "1"} if os.geteuid() == 0 else {},
            **settings,
        }
        self.sides[agent] = self._start(agent, "agent", values)

    def _start(
        self, name: str, command: str, settings: dict[str, object]
    ) -> subprocess.Popen[bytes]:
        path = self.directory / f"{name}.json"
        path.write_text(json.dumps(settings))
        environment = {
            "PATH": os.environ["PATH"],
            "AGENTD_SETTINGS": str(path),
            "TMPDIR": str(self.directory),
            "PYTHONPATH": str(Path(agentd.__file__).parents[1]),
        }
        with (self.directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*self.before, sys.executable, "-m", "agentd", command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def until_connected(self, agent: str = "main") -> None:
        """Wait until the agent side is connected to the spawner."""
        await until(lambda: self.spawner.states()[agent].connected)

    def stop(self) -> None:
        """Stop what still runs, and wait for its end."""
        running = [*self.sides.values(), *([self.gateway] if self.gateway else [])]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def until(condition: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """Wait until the condition holds; fail after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not come"
        await asyncio.sleep(0.01)


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.01)


def _connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(path)
        return True
    return False


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory with a path short enough for sockets in it."""
    path = Path(tempfile.mkdtemp(prefix="ak-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


RunningStack = Callable[..., AbstractAsyncContextManager[Stack]]


@pytest.fixture
def running_stack(short_path: Path) -> RunningStack:
    """Return ``running_stack(agents=("main",), with_spawner=True)``.

    It is an asynchronous context: gateway, offline model and agent sides run as
    processes. Without a spawner, the test's own control listens on the sockets.
    """

    @asynccontextmanager
    async def start(
        agents: Sequence[str] = ("main",),
        with_spawner: bool = True,
        drain_seconds: float = 5,
    ) -> AsyncIterator[Stack]:
        stack = Stack(short_path, tuple(agents), drain_seconds)
        for agent in agents:
            (stack.sockets_directory / agent).mkdir(parents=True)
            stack.memory(agent).mkdir(parents=True)
            (short_path / agent / "skill-data").mkdir()
        try:
            stack.start_gateway()
            for agent in agents:
                stack.start_side(agent)
            if not with_spawner:
                yield stack
                return
            async with SocketSpawner(
                stack.sockets_directory, agents, time.monotonic
            ) as spawner:
                stack.use(spawner)
                for agent in agents:
                    await stack.until_connected(agent)
                yield stack
        finally:
            await asyncio.to_thread(stack.stop)

    return start
