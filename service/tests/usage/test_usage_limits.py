# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an agent may take: told in its health, and its turns refused (I18)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from control.fakes import FakeSpawner
from control.running_app import Control, Parts, control

from agentd.errors import AgentUnavailable, CallRefused
from agentd.samples.values import Amount, Usage, level_of, readable, sentence
from agentd.work_settings import UsageSettings

GB = 1_000_000_000


@dataclass
class Agents(FakeSpawner):
    """Agents that take as much as they are told to."""

    taken: dict[str, object] = field(default_factory=lambda: {"main": GB})
    counted: list[str] = field(default_factory=list)
    refuses: bool = False
    gate: asyncio.Event | None = None

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        if name != "measure_usage":
            return await super().call(
                agent, name, parameters, timeout_seconds=timeout_seconds
            )
        if not self.connected[agent]:
            raise AgentUnavailable(f'Agent "{agent}" is not connected.')
        if self.refuses:
            raise CallRefused("It refused.")
        self.counted.append(agent)
        if self.gate is not None:
            await self.gate.wait()
        areas = {"caches": {"bytes": self.taken[agent], "files": 2}}
        return {"areas": areas, "seconds": 0.1, "whole": True, "problems": []}


def parts_of(spawner: FakeSpawner, **usage: Any) -> Parts:
    """Return what control starts with."""
    return Parts(spawner=spawner, settings={"usage": {"sample_minutes": 0, **usage}})


async def problems(running: Control) -> list[str]:
    """Return what makes the health degraded."""
    answer = await running.client.get("/health")
    assert answer.status_code == 200
    found: list[str] = answer.json()["problems"]
    return found


@pytest.mark.parametrize(
    ("taken", "level"),
    [(0, "ok"), (10, "ok"), (11, "warned"), (20, "warned"), (21, "exceeded")],
)
def test_what_is_above_a_limit_is_told_with_its_setting(taken: int, level: str) -> None:
    limits = UsageSettings(warn_bytes=10, limit_bytes=20)
    usage = Usage(at=0, areas={"trees": Amount(taken, 1), "memory": Amount(0, 1)})

    assert level_of(usage, limits) == level
    told = sentence("main", usage, limits)
    assert (told is None) is (level == "ok")
    words = {"warned": "usage.warn_bytes", "exceeded": "usage.limit_bytes"}
    assert told is None or (words[level] in told and "trees" in told)


def test_without_limits_nothing_is_too_much() -> None:
    usage = Usage(at=0, areas={"trees": Amount(2**60, 1)})

    assert level_of(usage, UsageSettings()) == "ok"
    assert level_of(None, UsageSettings(limit_bytes=1)) == "unknown"


def test_bytes_are_told_in_units_that_people_know() -> None:
    shown = [readable(n) for n in (0, 999, 999_999, 10_240_000, 123_456_789_012, 2**62)]

    assert shown == ["0 bytes", "999 bytes", "1 MB", "10.2 MB", "123 GB", "4612 PB"]


async def test_above_the_warning_the_health_tells_it_and_turns_go_on(
    tmp_path: Path,
) -> None:
    """I18."""
    spawner = Agents()
    async with control(tmp_path, parts_of(spawner, warn_bytes=GB // 4)) as running:
        assert await problems(running) == []
        await running.service.usage.sample()

        (problem,) = await problems(running)
        said = await running.say()

    assert said.status_code == 200
    assert problem == (
        'Agent "main" takes 1 GB, the most of it as caches: more than 250 MB '
        "(usage.warn_bytes)."
    )


async def test_above_the_limit_a_turn_is_refused_until_room_was_made(
    tmp_path: Path,
) -> None:
    """I18: nothing is stored of what was refused; the next look lets it through."""
    spawner = Agents()
    times = iter(range(1000, 10**6, 60))
    parts = parts_of(spawner, limit_bytes=GB - 1)
    parts.clock = type(parts.clock)(now=lambda: float(next(times)))
    async with control(tmp_path, parts) as running:
        refused = await running.say()
        listed = await running.client.get("/chat")
        told = await problems(running)
        spawner.taken["main"] = 5
        said = await running.say()

    assert refused.status_code == 507
    assert "usage.limit_bytes" in refused.json()["error"]
    assert listed.json()["conversations"] == []
    assert "no new turn above" in told[0]
    assert said.status_code == 200


async def test_a_task_above_the_limit_waits_until_room_was_made(tmp_path: Path) -> None:
    """I18: what was accepted is not lost, and not failed either."""
    spawner = Agents()
    async with control(tmp_path, parts_of(spawner, limit_bytes=GB - 1)) as running:
        accepted = await running.client.post("/queue", json={"prompt": "hello"})
        path = f"/queue/{accepted.json()['id']}"
        await until(lambda: bool(spawner.counted))
        waiting = (await running.client.get(path)).json()
        spawner.taken["main"] = 5
        await running.service.usage.sample()
        while (done := (await running.client.get(path)).json())["result"] is None:
            await asyncio.sleep(0.05)

    assert accepted.status_code == 202
    assert waiting["status"] in ("queued", "running")
    assert done["status"] == "completed"


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    while not condition():
        await asyncio.sleep(0.01)


async def test_without_a_limit_no_turn_waits_for_a_count(tmp_path: Path) -> None:
    spawner = Agents()
    async with control(tmp_path, parts_of(spawner, warn_bytes=1)) as running:
        await running.say()

    assert spawner.counted == []


async def test_below_the_limit_an_agent_is_counted_once_for_many_turns(
    tmp_path: Path,
) -> None:
    spawner = Agents()
    async with control(tmp_path, parts_of(spawner, limit_bytes=2 * GB)) as running:
        for _unused in range(5):
            assert (await running.say()).status_code == 200

    assert spawner.counted == ["main"]


async def test_an_agent_that_cannot_be_counted_is_not_refused_for_that(
    tmp_path: Path,
) -> None:
    spawner = Agents(refuses=True)
    async with control(tmp_path, parts_of(spawner, limit_bytes=1)) as running:
        said = await running.say()
        shown = (await running.client.get("/usage")).json()

    assert said.status_code == 200
    assert shown["agents"][0]["level"] == "unknown"
    assert shown["problems"] == ['Agent "main": It refused.']


async def test_the_limit_of_one_agent_is_not_another_s(tmp_path: Path) -> None:
    spawner = Agents(
        connected={"main": True, "mail": True}, taken={"main": 5, "mail": GB}
    )
    async with control(tmp_path, parts_of(spawner, limit_bytes=100)) as running:
        main, mail = await running.say(), await running.say(agent="mail")

    assert (main.status_code, mail.status_code) == (200, 507)


async def test_an_agent_that_never_answers_holds_up_nobody_else(tmp_path: Path) -> None:
    """What it took is told as it was seen last, with why it is not newer."""
    spawner = Agents(
        connected={"main": True, "mail": True}, taken={"main": 5, "mail": 7}
    )
    async with control(tmp_path, parts_of(spawner)) as running:
        watch = running.service.usage
        await watch.look(0, 10)
        spawner.gate = asyncio.Event()

        failed = await watch.look(0, 0.05)

        assert set(failed) == {"main", "mail"}
        assert failed["main"] == "It was not counted within 0.05 s."
        assert watch.known()["mail"].total == Amount(7, 2)
