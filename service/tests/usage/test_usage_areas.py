# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The areas of an agent's state, as its side counts them (I17)."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from usage_trees import du, grow

from agentd.agent.settings import AgentSettings, parse_agent_settings
from agentd.agent.usage_calls import places_of, usage_calls
from agentd.spawner.dial import Call, CallFailed
from agentd.spawner.frames import FrameKind, encode_json
from agentd.usage.areas import AREAS, Measure, Places, measure
from agentd.usage.walk import Bounds

LONG = Bounds(60)


def settings_of(root: Path, **changes: str) -> AgentSettings:
    """Return the settings of an agent that has all its state below a directory."""
    return parse_agent_settings(
        {
            "component": "agent",
            "deployment": "test",
            "agent": "main",
            "working_directory": str(root / "memory"),
            "skill_data_directory": str(root / "skill-data"),
            "workdirs_directory": str(root / "workdirs"),
            **changes,
        }
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where an agent has something in each area."""
    grow(tmp_path / "memory", tmp_path / "outside")
    for number, below in enumerate(
        (
            "memory/.claude/projects/-data-memory",
            "memory/definitions/helper",
            "skill-data/notes",
            "workdirs/first/repos/ada/shop/objects",
            "workdirs/first/worktrees/feat-x",
            "workdirs/second/repos/ada/web",
            "workdirs/first/recovered",
        )
    ):
        (tmp_path / below).mkdir(parents=True)
        (tmp_path / below / "file").write_bytes(b"x" * 1000 * (number + 1))
    return tmp_path


def test_each_area_is_counted_as_du_counts_it(root: Path) -> None:
    """I17: caches and trees apart, memory without transcripts."""
    found = measure(places_of(settings_of(root)), LONG)

    sizes = {name: amount.bytes for name, amount in found.areas.items()}
    transcripts = du(root / "memory/.claude/projects")
    definitions = du(root / "memory/definitions")
    caches = du(root / "workdirs/first/repos", root / "workdirs/second/repos")
    assert sizes == {
        "memory": du(root / "memory") - transcripts - definitions,
        "transcripts": transcripts,
        "skill_data": du(root / "skill-data"),
        "definitions": definitions,
        "caches": caches,
        "trees": du(root / "workdirs") - caches,
    }
    assert (found.whole, found.problems) == (True, ())
    assert found.areas["caches"].files == 2


def test_a_configuration_elsewhere_belongs_to_the_memory(root: Path) -> None:
    elsewhere = root / "config"
    os.rename(root / "memory/.claude", elsewhere)
    (elsewhere / "history").write_bytes(b"x" * 77)
    settings = settings_of(root, config_directory=str(elsewhere))

    areas = measure(places_of(settings), LONG).areas

    both = du(root / "memory", elsewhere) - du(root / "memory/definitions")
    assert areas["memory"].bytes + areas["transcripts"].bytes == both
    assert areas["transcripts"].bytes == du(elsewhere / "projects")


def test_an_agent_that_has_nothing_yet_takes_nothing(tmp_path: Path) -> None:
    found = measure(places_of(settings_of(tmp_path)), LONG)

    assert set(found.areas) == set(AREAS)
    assert sum(amount.bytes for amount in found.areas.values()) == 0
    assert found.problems == ()


def test_transcripts_behind_a_link_are_told_and_not_counted(root: Path) -> None:
    projects = root / "memory/.claude/projects"
    os.rename(projects, root / "elsewhere")
    projects.symlink_to(root / "elsewhere")

    areas = measure(places_of(settings_of(root)), LONG).areas

    assert areas["transcripts"].bytes == 0


async def test_the_call_tells_what_fits_in_a_frame(root: Path) -> None:
    call = usage_calls(settings_of(root))["measure_usage"]

    answer = await call({"unknown": "x" * 100})

    assert set(answer) == {"areas", "seconds", "whole", "problems"}
    assert encode_json(FrameKind.ANSWER, {"id": 1, "result": answer})


async def test_a_call_that_nobody_waits_for_ends_soon(root: Path) -> None:
    """The agent's end would else wait for the thread."""
    begun, stopped = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(places: Places, bounds: Bounds) -> Measure:
        loop.call_soon_threadsafe(begun.set)
        while not bounds.stopped():
            time.sleep(0.001)
        loop.call_soon_threadsafe(stopped.set)
        return measure(places, bounds)

    call = usage_calls(settings_of(root), endless)["measure_usage"]
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(asked_for(call))
        await begun.wait()
        with pytest.raises(CallFailed, match="counted already"):
            await call({})

        asked.cancel()

    await stopped.wait()


async def asked_for(call: Call) -> None:
    """Make the call and throw the answer away."""
    await call({})
