# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The processes of a deployment: killed without warning, and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from control.service import ControlProcess, cli_processes

from agentd.agent.command import MARKER, marker
from agentd.agent.processes import STREAM_MARK
from agentd.agent.settings import load_agent_settings
from agentd.spawner.processes import kill_marked, marked

if TYPE_CHECKING:
    from conftest import Stack

ORPHAN_SECONDS = 5.0


@dataclass(frozen=True)
class Watched:
    """The stream of a CLI of which nothing may be left at that time."""

    stream: str
    why: str
    until: float


@dataclass
class Running:
    """Control, gateway and agent sides, with who supervises them."""

    stack: Stack
    control: ControlProcess
    crashes: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    _watched: list[Watched] = field(default_factory=list)

    async def kill(self, target: str, agent: str, pause_seconds: float) -> None:
        """Send SIGKILL, and start again what a supervisor would."""
        if target == "control":
            await self._kill_control(pause_seconds)
        elif target == "agent":
            await self._kill_agent(agent, pause_seconds)
        elif target == "gateway":
            await self._kill_gateway(pause_seconds)
        else:
            self._kill_cli(agent)

    async def _kill_control(self, pause_seconds: float) -> None:
        assert self.control.process is not None
        running = [cli for agent in self.stack.agents for cli in self.clis(agent)]
        self.control.process.kill()
        await asyncio.to_thread(self.control.process.wait)
        grace = self.stack.drain_seconds + ORPHAN_SECONDS
        for pid in running:
            self._watch(pid, "control was killed", grace)
        await asyncio.sleep(pause_seconds)
        self.control.launch()

    async def _kill_agent(self, agent: str, pause_seconds: float) -> None:
        side = self.stack.sides[agent]
        side.kill()
        await asyncio.to_thread(side.wait)
        # A container's processes end with its first one; here they have to be found.
        kill_marked({MARKER: self.mark(agent)})
        await asyncio.sleep(pause_seconds)
        self.stack.start_side(agent)

    async def _kill_gateway(self, pause_seconds: float) -> None:
        assert self.stack.gateway is not None
        self.stack.gateway.kill()
        await asyncio.to_thread(self.stack.gateway.wait)
        await asyncio.sleep(pause_seconds)
        await asyncio.to_thread(self.stack.start_gateway)

    def _kill_cli(self, agent: str) -> None:
        for pid in self.clis(agent)[:1]:
            self._watch(pid, "its CLI was killed", ORPHAN_SECONDS)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def clis(self, agent: str) -> list[int]:
        """Return the CLI processes of an agent, the newest first."""
        return sorted(cli_processes(self.stack.sides[agent].pid), reverse=True)

    def mark(self, agent: str) -> str:
        """Return what every process of an agent has in its environment."""
        return marker(load_agent_settings(self.stack.directory / f"{agent}.json"))

    def _watch(self, pid: int, why: str, seconds: float) -> None:
        if (stream := _variable(pid, STREAM_MARK)) is not None:
            self._watched.append(Watched(stream, why, time.monotonic() + seconds))

    def supervise(self) -> None:
        """Note and start again what ended by itself; note tools that were left."""
        if _ended(self.control.process):
            self._note_crash("control", self.control.process)
            self.control.launch()
        for agent, side in self.stack.sides.items():
            if _ended(side):
                self._note_crash(f'agent side "{agent}"', side)
                self.stack.start_side(agent)
        now = time.monotonic()
        for watched in [one for one in self._watched if one.until <= now]:
            self._watched.remove(watched)
            for pid in marked({STREAM_MARK: watched.stream}):
                self.orphans.append(f"{_command(pid)}: {watched.why}")

    def _note_crash(self, name: str, process: subprocess.Popen[bytes] | None) -> None:
        assert process is not None
        self.crashes.append(f"{name} ended by itself, status {process.returncode}")

    async def settle(self) -> None:
        """Wait until nothing of a killed CLI may be left."""
        until = max((one.until for one in self._watched), default=0.0)
        await asyncio.sleep(max(0.0, until - time.monotonic()))
        self.supervise()

    def left(self) -> list[str]:
        """Return what still runs of any agent."""
        return [
            _command(pid)
            for agent in self.stack.agents
            for pid in marked({MARKER: self.mark(agent)})
        ]


def _ended(process: subprocess.Popen[bytes] | None) -> bool:
    return process is not None and process.poll() is not None


def _variable(pid: int, name: str) -> str | None:
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if entry.startswith(f"{name}=".encode()):
                return entry.partition(b"=")[2].decode()
    return None


def _command(pid: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b" ".join(words).decode("utf-8", "replace")[:120]
    return ""
