# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Hostile agent sides on a real control: the others are served, and keep their own."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hostile_sides
import httpx
import pytest
from hostile_sides import FOREIGN_SESSION, GOOD, HOSTILE

import agentd

from .service import ControlProcess

TURNS_AT_ONCE = 6
GOOD_TURNS = 12
MAX_RESIDENT_BYTES = 220 * 1024 * 1024
# The others take part in the attack of all at once.
ALONE = ("replay", "bloated", "broken", "liar", "dialler", "greeter")


@dataclass
class Place:
    """Where control's sockets and files lie."""

    directory: Path

    @property
    def sockets_directory(self) -> Path:
        return self.directory / "s"


class Attackable(ControlProcess):
    """A control that is waited for until the honest agent is connected."""

    def _connected(self) -> bool:
        with suppress(httpx.TransportError):
            found = {one["name"]: one for one in self.client.get("/agents").json()}
            return bool(found[GOOD]["connected"])
        return False


@asynccontextmanager
async def served(directory: Path, **hostile: str) -> AsyncIterator[Attacked]:
    """Yield a control with the honest agent and these kinds of hostile ones."""
    place = Place(directory)
    names = (GOOD, *hostile)
    control = Attackable(
        place,
        names,
        settings={
            "max_live_clients": 4 * len(names),
            "max_waiting_turns": 2 * len(names),
            "max_waiting_seconds": 5,
            "max_starting_clients": 2,
            "max_execution_seconds": 20,
            "drain_seconds": 0,
        },
    )
    sides = []
    try:
        for name, kind in {GOOD: GOOD, **hostile}.items():
            socket = place.sockets_directory / name / "control.sock"
            socket.parent.mkdir(parents=True)
            sides.append(start_side(kind, socket, directory / f"{name}.log"))
        await asyncio.to_thread(control.launch)
        await asyncio.to_thread(control.until_connected)
        async with httpx.AsyncClient(
            base_url=str(control.client.base_url),
            headers=dict(control.client.headers),
            timeout=60,
            trust_env=False,
        ) as client:
            yield Attacked(control, client)
    finally:
        control.__exit__()
        for side in sides:
            side.kill()
            side.wait()


def start_side(kind: str, socket: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, hostile_sides.__file__, kind, str(socket)],
            env={"PYTHONPATH": str(Path(agentd.__file__).parents[1])},
            stdout=output,
            stderr=output,
        )


@dataclass
class Attacked:
    """A control under attack."""

    control: ControlProcess
    client: httpx.AsyncClient

    async def say(self, agent: str, message: str, **body: object) -> httpx.Response:
        return await self.client.post(
            "/chat", json={"message": message, "agent": agent, **body}
        )

    async def serve_good(self) -> list[float]:
        """Hold a conversation with the honest agent; return how long turns took."""
        seconds: list[float] = []
        body: dict[str, object] = {}
        for number in range(GOOD_TURNS):
            began = time.monotonic()
            response = await self.say(GOOD, f"word {number}", **body)
            seconds.append(time.monotonic() - began)
            answer = response.json()
            assert response.status_code == 200, (answer, self.control.log()[-3000:])
            assert answer["result"] == f"echo word {number}"
            assert answer["persisted"] is True
            assert not answer.get("outbound_messages")
            body = {"conversation_id": answer["conversation_id"]}
        return seconds

    def resident_bytes(self) -> int:
        assert self.control.process is not None
        status = Path(f"/proc/{self.control.process.pid}/status").read_text()
        (line,) = [one for one in status.splitlines() if one.startswith("VmHWM")]
        return int(line.split()[1]) * 1024


@pytest.mark.parametrize("attack", ALONE)
async def test_the_others_are_served_whatever_an_agent_does(
    short_path: Path, attack: str
) -> None:
    async with served(short_path, evil=attack) as attacked:
        async with asyncio.TaskGroup() as tasks:
            evil = [
                tasks.create_task(attacked.say("evil", "hi", max_execution_ms=2000))
                for _number in range(TURNS_AT_ONCE)
            ]
            await asyncio.sleep(0.3)
            seconds = await attacked.serve_good()
        answers = [task.result() for task in evil]
        again = await attacked.serve_good()
        log = attacked.control.log()
        health = (await attacked.client.get("/health")).json()
        resident = attacked.resident_bytes()

    assert statistics.median(seconds) < 1.0, seconds
    assert max(again) < 3.0
    assert log.count("agent_connected") < 60
    assert {one.status_code for one in answers} <= {200, 503}
    assert health["status"] in {"ok", "degraded"}
    assert resident < MAX_RESIDENT_BYTES
    for one in answers:
        assert FOREIGN_SESSION not in one.text or one.json()["agent"] == "evil"


async def test_all_attacks_at_once_take_no_agent_s_place(short_path: Path) -> None:
    async with served(short_path, **{name: name for name in HOSTILE}) as attacked:
        async with asyncio.TaskGroup() as tasks:
            evil = [
                tasks.create_task(attacked.say(name, "hi", max_execution_ms=2000))
                for name in HOSTILE
                for _number in range(4)
            ]
            await asyncio.sleep(0.5)
            seconds = await attacked.serve_good()
            began = time.monotonic()
            await attacked.client.get("/health")
            health_seconds = time.monotonic() - began
        statuses = Counter(task.result().status_code for task in evil)
        resident = attacked.resident_bytes()
        listed: Any = (await attacked.client.get("/chat")).json()

    assert statistics.median(seconds) < 2.0, seconds
    assert health_seconds < 5.0
    assert set(statuses) <= {200, 503}
    assert resident < MAX_RESIDENT_BYTES
    assert all(one["status"] == "idle" for one in listed["conversations"])


async def test_what_an_agent_spams_is_bounded_and_stays_its_own(
    short_path: Path,
) -> None:
    async with served(short_path, evil="tools", worse="replay") as attacked:
        first = await attacked.say(GOOD, "hello")
        known = first.json()["conversation_id"]
        await attacked.say("evil", "hi", max_execution_ms=1000)
        spam = await attacked.say("worse", "hi")
        log = attacked.control.log()
        good = await attacked.say(GOOD, "again", conversation_id=known)

    assert spam.json()["result"] == "echo hi"
    assert "stolen" not in spam.text
    assert "outbound_refused" in log
    assert not good.json().get("outbound_messages")
    assert good.json()["result"] == "echo again"
