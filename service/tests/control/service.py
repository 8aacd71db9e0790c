# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control as a real process on loopback, beside a running stack."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

import agentd

START_SECONDS = 30.0
Json = dict[str, Any]


class Beside(Protocol):
    """What of the stack control needs."""

    @property
    def directory(self) -> Path:
        """Return where its files lie."""

    @property
    def sockets_directory(self) -> Path:
        """Return where the sockets lie."""


@dataclass
class ControlProcess:
    """``agentd serve`` with its HTTP client."""

    stack: Beside
    agents: tuple[str, ...] = ("main",)
    token: str = "t0ken"
    settings: Json = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port = _free_port()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
            trust_env=False,
        )

    def __enter__(self) -> ControlProcess:
        self.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def database(self) -> Path:
        """Return the directory of the database."""
        directory = self.stack.directory / "database"
        directory.mkdir(exist_ok=True)
        return directory

    def start(self) -> None:
        """Start control and wait until it is healthy and every agent is there."""
        self.launch()
        self.until_connected()

    def launch(self) -> None:
        """Start control and wait for nothing."""
        token_file = self.stack.directory / "token"
        token_file.write_text(self.token, encoding="utf-8")
        values = {
            "component": "control",
            "deployment": "test",
            "listen_host": "127.0.0.1",
            "listen_port": self.port,
            "api_token_file": str(token_file),
            "database_url": f"sqlite+aiosqlite:///{self.database}/agentd.db",
            "sockets_directory": str(self.stack.sockets_directory),
            "agents": [{"name": agent} for agent in self.agents],
            "definitions_directory": str(self.stack.directory / "definitions"),
            "built_in_definitions_directory": str(
                self.stack.directory / "built-in-definitions"
            ),
            "drain_seconds": 20,
            **self.settings,
        }
        path = self.stack.directory / "control.json"
        path.write_text(json.dumps(values), encoding="utf-8")
        with (self.stack.directory / "control.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agentd", "serve"],
                env={
                    "PATH": os.environ["PATH"],
                    "AGENTD_SETTINGS": str(path),
                    "PYTHONPATH": str(Path(agentd.__file__).parents[1]),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def until_connected(self) -> None:
        """Wait until control answers and every agent is connected."""
        deadline = time.monotonic() + START_SECONDS
        while not self._connected():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def _connected(self) -> bool:
        with suppress(httpx.TransportError):
            agents = self.client.get("/health").json()["agents"]
            return bool(agents["connected"] == len(self.agents))
        return False

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit status and how long it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60), time.monotonic() - began

    def log(self) -> str:
        """Return what control wrote."""
        return (self.stack.directory / "control.log").read_text(encoding="utf-8")

    def post(self, message: str, **body: object) -> httpx.Response:
        """Say a message and return the response."""
        return self.client.post("/chat", json={"message": message, **body})

    def say(self, message: str, **body: object) -> Json:
        """Say a message and return the answer of a turn that was taken."""
        response = self.post(message, **body)
        assert response.status_code == 200, (response.text, self.log())
        answer: Json = response.json()
        return answer


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until the condition holds; fail after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not come"
        await asyncio.sleep(0.02)


def cli_processes(side: int) -> list[int]:
    """Return the ids of the CLI processes that an agent side started."""
    return [pid for pid in _children(side) if "claude" in _command(pid)]


def _children(parent: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            stat = (entry / "stat").read_text(encoding="utf-8")
            if entry.name.isdigit() and int(stat.rpartition(")")[2].split()[1]) == (
                parent
            ):
                yield int(entry.name)


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    return ""
