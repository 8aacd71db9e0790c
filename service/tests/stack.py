# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The processes beside control, for tests and benchmarks: gateway and agent sides."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import agentd
from agentd.spawner.control import SocketSpawner

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
