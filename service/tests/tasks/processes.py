# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks of a control that is a real process, with the real CLI."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from control.service import ControlProcess

if TYPE_CHECKING:
    from conftest import Stack

Json = dict[str, Any]
SETTINGS: Json = {"drain_seconds": 1, "worker_lost_seconds": 2}


def make(control: ControlProcess, task_id: str, seconds: float = -1.0) -> None:
    """Make a task that is due once, in so many seconds."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    body = {
        "id": task_id,
        "prompt": f"This is {task_id}. Answer slowly for 1.5 seconds.",
        "schedule_type": "once",
        "schedule_value": at.isoformat(),
    }
    answer = control.client.post("/task", json=body)
    assert answer.status_code == 201, answer.text


def runs(control: ControlProcess, task_id: str) -> list[Json]:
    """Return the runs of a task, the latest first."""
    answer = control.client.get(f"/task/{task_id}/runs")
    assert answer.status_code == 200, (answer.text, control.log())
    found: list[Json] = answer.json()["runs"]
    return found


async def until_said(stack: Stack, control: ControlProcess, task_id: str) -> None:
    """Wait until the prompt of a task is in a transcript."""
    deadline = time.monotonic() + 20
    words = f"This is {task_id}."
    while not any(
        words in path.read_text("utf-8", errors="replace")
        for path in stack.memory().glob(".claude/projects/*/*.jsonl")
    ):
        assert time.monotonic() < deadline, control.log()
        await asyncio.sleep(0.05)


async def ended(control: ControlProcess, task_id: str) -> Json:
    """Wait until the one run of a task ended; return it."""
    deadline = time.monotonic() + 40
    while True:
        (run,) = found = runs(control, task_id)
        assert len(found) == 1
        if run["finished_at"] is not None:
            return run
        assert time.monotonic() < deadline, (run, control.log())
        await asyncio.sleep(0.1)


def contents(control: ControlProcess, run: Json) -> list[tuple[str, str]]:
    """Return who said what in the conversation of a run, each with its status."""
    path = f"/chat/{run['conversation_id']}/messages"
    messages = control.client.get(path).json()["messages"]
    return [(one["role"], one["status"]) for one in messages]


async def kill(control: ControlProcess) -> None:
    """Kill control with SIGKILL."""
    assert control.process is not None
    control.process.kill()
    await asyncio.to_thread(control.process.wait)
