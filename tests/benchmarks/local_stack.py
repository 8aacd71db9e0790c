# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The parts of agentd as processes of this machine, joined in different ways."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from memory_group import MemoryGroup

SERVICE = Path(__file__).resolve().parents[2] / "service" / "src"
START_SECONDS = 20.0
STOP_SECONDS = 20.0
AGENT = "main"
OFFLINE_MODEL = "agentd.offline_model.app:create_app"


@dataclass
class LocalStack:
    """Processes below one directory; each has a log file there."""

    directory: Path
    running: ExitStack = field(default_factory=ExitStack)

    def start(
        self,
        name: str,
        *arguments: str,
        group: MemoryGroup | None = None,
        **variables: str,
    ) -> None:
        """Start a Python module with these arguments, and stop it at the end."""
        log = self.running.enter_context((self.directory / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            [*_into(group), sys.executable, "-m", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(SERVICE),
                "TMPDIR": str(self.directory),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self.running.callback(_stop, process)

    def start_agentd(
        self,
        name: str,
        settings: dict[str, object],
        group: MemoryGroup | None = None,
    ) -> None:
        """Start a component with these settings."""
        path = self.directory / f"{name}.json"
        path.write_text(json.dumps({"deployment": "bench", **settings}))
        command = {"control": "serve"}.get(str(settings["component"]))
        self.start(
            name,
            "agentd",
            command or str(settings["component"]),
            group=group,
            AGENTD_SETTINGS=str(path),
        )

    def offline_model(
        self, *, port: int | None = None, path: Path | None = None
    ) -> None:
        """Start an offline model on a port or on a Unix socket."""
        place = ("--port", str(port)) if port else ("--uds", str(path))
        name = f"offline-model-{port or 'socket'}"
        # As the gateway does: a CLI that idles between two turns keeps its connection.
        quiet = ("--log-level", "warning", "--factory", "--timeout-keep-alive", "900")
        self.start(name, "uvicorn", OFFLINE_MODEL, *quiet, *place)
        wait_for(lambda: answers(port or path), "the offline model")

    def sockets(self, name: str) -> Path:
        """Return a directory for the sockets of one way, made with its agent's."""
        directory = self.directory / name
        (directory / AGENT).mkdir(parents=True)
        return directory

    def gateway(self, sockets: Path, **settings: object) -> Path:
        """Start a gateway over the sockets; return the agent's socket."""
        self.start_agentd(
            f"gateway-{sockets.name}",
            {
                "component": "gateway",
                "sockets_directory": str(sockets),
                "agents": [AGENT],
                **settings,
            },
        )
        path = sockets / AGENT / "gateway.sock"
        wait_for(lambda: answers(path), "the gateway")
        return path

    def agent_side(self, sockets: Path, model_socket: Path) -> int:
        """Start an agent side that dials control and relays to the model's socket.

        Return the port of its relay.
        """
        port = free_port()
        home = self.directory / f"agent-{sockets.name}"
        (home / "memory").mkdir(parents=True)
        (home / "skill-data").mkdir()
        self.start_agentd(
            f"agent-{sockets.name}",
            {
                "component": "agent",
                "agent": AGENT,
                "control_socket": str(sockets / AGENT / "control.sock"),
                "gateway_socket": str(model_socket),
                "working_directory": str(home / "memory"),
                "config_directory": str(home / "memory" / ".claude"),
                "home_directory": str(home / "memory"),
                "skill_data_directory": str(home / "skill-data"),
                "org_directory": str(home / "org"),
                "org_skills_directory": str(home / "no-legacy-skills"),
                "built_in_skills_directory": str(home / "built-in-skills"),
                "managed_directory": str(home / "managed"),
                "credentials_directory": str(home / "credentials"),
                "relay_port": port,
                "environment": sandboxed(),
            },
        )
        return port

    def control(
        self,
        sockets: Path,
        api_token: str | None = None,
        group: MemoryGroup | None = None,
        **settings: object,
    ) -> str:
        """Start control over the sockets, in that cgroup; return its address."""
        port = free_port()
        token_file = self.directory / "api_token"
        token_file.write_text(api_token or "")
        database = self.directory / "database"
        database.mkdir()
        definitions = self.directory / "definitions"
        definitions.mkdir()
        self.start_agentd(
            "control",
            {
                "component": "control",
                "listen_host": "127.0.0.1",
                "listen_port": port,
                "api_token_file": str(token_file) if api_token else None,
                "database_url": f"sqlite+aiosqlite:///{database}/agentd.db",
                "sockets_directory": str(sockets),
                "definitions_directory": str(definitions),
                "agents": [{"name": AGENT}],
                **settings,
            },
            group,
        )
        wait_for(lambda: answers(port), "control")
        return f"http://127.0.0.1:{port}"


def sandboxed() -> dict[str, str]:
    """Return what lets the CLI pass over permissions as root."""
    return {"IS_SANDBOX": "1"} if os.geteuid() == 0 else {}


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds; raise SystemExit if it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Cannot measure: {what} did not start. See its log.")
        time.sleep(0.02)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds, beside whatever runs in this loop."""
    await asyncio.to_thread(wait_for, condition, what)


async def until_connected(address: str) -> None:
    """Wait until control says that all of its agents are connected."""
    await until(lambda: _is_connected(address), "an agent side")


def _is_connected(address: str) -> bool:
    with urlopen(f"{address}/health") as response:
        agents = json.load(response)["agents"]
    return bool(agents["connected"] == agents["declared"])


def answers(place: int | Path | None) -> bool:
    """Return whether somebody listens on that port or Unix socket."""
    is_port = isinstance(place, int)
    family = socket.AF_INET if is_port else socket.AF_UNIX
    with socket.socket(family) as probe, suppress(OSError):
        probe.connect(("127.0.0.1", place) if is_port else str(place))
        return True
    return False


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _into(group: MemoryGroup | None) -> list[str]:
    """Return what starts a command in that cgroup from its first page on."""
    if group is None:
        return []
    enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
    return ["sh", "-c", enter, str(group.directory)]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
