# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control in this process with schedules, on a database of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from control.running_app import Control, Parts, control

from agentd.clock import Clock
from agentd.queue.values import NewTask, Task

Json = dict[str, Any]
EACH_MINUTE: Json = {
    "id": "each-minute",
    "prompt": "look",
    "schedule_type": "interval",
    "schedule_value": "60000",
}


@dataclass
class SetClock:
    """A clock that a test moves."""

    now: float = 1_780_000_000.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(now=lambda: self.now)


@asynccontextmanager
async def tasks_at(
    directory: Path, stores: Json, parts: Parts | None = None
) -> AsyncIterator[Control]:
    """Start control on what these settings name."""
    used = parts or Parts()
    # The agents here have no transcripts that could be kept.
    used.settings = {
        **stores,
        "store_sessions": False,
        **used.settings,
    }
    async with control(directory, used) as running:
        yield running


async def make(running: Control, **body: object) -> Json:
    """Make a task that control takes; return it."""
    answer = await running.client.post("/task", json={**EACH_MINUTE, **body})
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def runs_of(running: Control, task_id: str = "each-minute") -> list[Json]:
    """Return the runs of a task, the latest first."""
    answer = await running.client.get(f"/task/{task_id}/runs?limit=100")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["runs"]
    return found


async def until_ended(
    running: Control, count: int = 1, task_id: str = "each-minute"
) -> list[Json]:
    """Wait until a task has so many runs and all of them ended; return them."""

    def ended(runs: list[Json]) -> bool:
        return len(runs) >= count and all(one["finished_at"] for one in runs)

    return await until(running, ended, task_id)


async def until(
    running: Control,
    condition: Callable[[list[Json]], bool],
    task_id: str = "each-minute",
) -> list[Json]:
    """Wait until the runs of a task are as asked; return them."""
    found: list[Json] = []
    try:
        async with asyncio.timeout(10):
            while not condition(found := await runs_of(running, task_id)):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"the runs did not become as asked: {found}") from None
    return found


async def json_of(answer: httpx.Response, status: int = 200) -> Json:
    """Return the body of an answer that has this status."""
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


async def queued(running: Control, **values: object) -> Task:
    """Queue a task."""
    given = {"agent": "main", "prompt": "look", **values}
    return await running.service.queue.accept(NewTask(**given))  # type: ignore[arg-type]


async def ended(running: Control, task: Task) -> Task:
    """Return a task at its end."""
    found = await running.service.queue.finished(task.id, 15)
    assert found.finished_at is not None, found
    return found


async def until_runs(running: Control, task: Task) -> Task:
    """Wait until the engine is in the turn of a task."""
    async with asyncio.timeout(10):
        while not running.engine.said:
            await asyncio.sleep(0.01)
    return await running.service.queue.task(task.id)


async def said(running: Control, task: Task) -> list[tuple[str, str]]:
    """Return what was said in the conversation of a task, each with its status."""
    path = f"/chat/{task.conversation_id}/messages"
    found = await json_of(await running.client.get(path))
    return [(one["content"], one["status"]) for one in found["messages"]]
