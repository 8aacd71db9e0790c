# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""H02 to H09, I02 to I14: no work is lost and nothing is left over, come what may."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import Stack
from control.service import ControlProcess
from forge.deliveries import SECRET
from forge.stand_in import Forge

from .actions import REPOSITORY, Actions
from .found import Disk

pytestmark = pytest.mark.live

# What a run by `nox -s service` has; `nox -s work_faults` has ten minutes.
SECONDS = 12.0
SEED = 6
AGENTS = ("dev", "reviewer")
ISSUES = 10
ENDED_SECONDS = 240.0
ENDED = ("completed", "failed", "cancelled")
MAX_LISTED = 200


async def test_no_work_is_lost_and_nothing_is_left_over(
    short_path: Path, forge: Forge, request: pytest.FixtureRequest
) -> None:
    """Two agents, twenty branches: H06, H08, H09, I02, I04, I06, I12, I14."""
    seconds = request.config.getoption("--work-seconds", None) or SECONDS
    seed = request.config.getoption("--work-seed", None)
    chance = random.Random(SEED if seed is None else seed)
    with running(short_path, forge, chance) as actions:
        began = time.monotonic()
        async with acting(actions):
            await asyncio.sleep(seconds)
        tasks = await ended(actions)
        worked = done_by(actions, tasks)
        lost = {name: worked[name] - disk(actions, name).words() for name in AGENTS}
        left = await cleaned(actions)
        problems = [one for name in AGENTS for one in disk(actions, name).problems()]
    figures = {
        "seed": SEED if seed is None else seed,
        "seconds": round(time.monotonic() - began, 1),
        "done": dict(sorted(actions.done.items())),
        "accepted": len(actions.accepted),
        "ends": dict(Counter(tasks.get(one, "lost") for one in actions.accepted)),
        "pieces_of_work": sum(len(words) for words in worked.values()),
        "work_lost": sum(len(words) for words in lost.values()),
        "left_over": left,
        "git_fsck_problems": len(problems),
        "unexpected": actions.faults[:20],
    }
    tell(figures, request)
    assert lost == {name: set() for name in AGENTS}
    assert (left, problems, actions.faults) == ([], [], [])
    assert set(tasks.values()) <= {*ENDED}
    assert figures["pieces_of_work"]


@contextmanager
def running(directory: Path, forge: Forge, chance: random.Random) -> Iterator[Actions]:
    """Run two agents that reach a repository of the forge."""
    forge.new_repository(REPOSITORY)
    for number in range(1, ISSUES + 1):
        forge.set_issue(REPOSITORY, number, "open")
    stack = Stack(directory, AGENTS)
    stack.definitions.mkdir(parents=True)
    settings: dict[str, dict[str, object]] = {
        "gateway": {
            "forges": {"main": forge.settings()},
            "status_socket": str(directory / "status.sock"),
        }
    }
    for name in AGENTS:
        (stack.sockets_directory / name).mkdir(parents=True)
        for part in ("memory", "skill-data", "workdirs"):
            (directory / name / part).mkdir(parents=True, exist_ok=True)
        settings[name] = {"workdirs_directory": str(directory / name / "workdirs")}
    with ExitStack() as exits:
        exits.callback(stack.stop)
        stack.start_gateway(**settings["gateway"])
        for name in AGENTS:
            stack.start_side(name, **settings[name])
        control = ControlProcess(stack, AGENTS, settings=control_settings(directory))
        exits.push(control.__exit__)
        control.start()
        hook = {"secret": SECRET, "user": "agentkeep"}
        put = control.client.put("/api/registry/webhooks/forgejo", json=hook)
        assert put.status_code == 200, put.text
        yield Actions(chance, stack, control, forge, settings, ISSUES)


def control_settings(directory: Path) -> dict[str, object]:
    """Return what control is told, beside what it has anyway."""
    return {
        "forges": {"main": {"kind": "forgejo"}},
        "gateway_status_socket": str(directory / "status.sock"),
        "work": {"acquire_timeout_seconds": 5},
        "sweep": {"question_seconds": 0},
        "max_running_tasks_per_agent": 2,
        # Far more often than workers die, a task is killed in its attempts.
        "task_max_attempts": 50,
    }


@asynccontextmanager
async def acting(actions: Actions) -> AsyncIterator[None]:
    """Act beside the caller, until it is done."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(actions.run(stop))
        yield
        stop.set()


async def ended(actions: Actions) -> dict[str, str]:
    """Wait until every task has ended; return how each did, whatever it was."""
    deadline = time.monotonic() + ENDED_SECONDS
    while True:
        found: dict[str, str] = {}
        async with actions.client() as client:
            while True:
                given = {"limit": MAX_LISTED, "offset": len(found)}
                answer = await client.get("/queue", params=given)
                assert answer.status_code == 200, answer.text
                told = answer.json()
                found |= {one["id"]: one["status"] for one in told["tasks"]}
                if not told["more"]:
                    break
        waiting = [one for one in found.values() if one not in ENDED]
        if not waiting or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)


def done_by(actions: Actions, tasks: dict[str, str]) -> dict[str, set[str]]:
    """Return the words of the work that each agent was told to be done."""
    found: dict[str, set[str]] = {name: set() for name in AGENTS}
    for task_id, (agent, word) in actions.accepted.items():
        if tasks.get(task_id) == "completed":
            found[agent].add(word)
    return found


async def cleaned(actions: Actions) -> list[str]:
    """Close every issue and sweep until nothing is busy; return what is left over."""
    for number in range(1, ISSUES + 1):
        actions.forge.set_issue(REPOSITORY, number, "closed")
    left: list[str] = ["nothing was swept"]
    for _time in range(10):
        answer = await actions.ask("last sweep", "POST", "/sweep", {})
        left = await left_over(actions)
        if not left and answer is not None and answer.status_code == 200:
            break
        await asyncio.sleep(1)
    return left


async def left_over(actions: Actions) -> list[str]:
    """Return the worktrees and sessions of issues that are there."""
    trees = [
        str(path)
        for name in AGENTS
        for path in (*disk(actions, name).trees(), *disk(actions, name).dangling())
    ]
    async with actions.client() as client:
        told = (await client.get("/sessions", params={"limit": 1000})).json()
    return [*trees, *(one["session_id"] for one in told["sessions"] if one["issue"])]


def disk(actions: Actions, name: str) -> Disk:
    """Return the disk of an agent."""
    return Disk(actions.stack.directory / name / "workdirs")


def tell(figures: dict[str, Any], request: pytest.FixtureRequest) -> None:
    """Print the figures, and write them where they are asked for."""
    print("\n", json.dumps(figures, indent=2))
    if path := request.config.getoption("--work-report", None):
        Path(path).write_text(json.dumps(figures))
