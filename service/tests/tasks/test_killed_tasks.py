# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks whose control is killed or stopped, as real processes with the real CLI."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from control.service import ControlProcess, cli_processes
from kills.running import Running

if TYPE_CHECKING:
    from conftest import RunningStack, Stack

pytestmark = pytest.mark.live

Json = dict[str, Any]
SLOW = "Answer slowly for 2 seconds."
SETTINGS: Json = {"drain_seconds": 1, "worker_lost_seconds": 2}


def make(control: ControlProcess, task_id: str, seconds: float = -1.0) -> None:
    """Make a task that is due once, in so many seconds."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    body = {
        "id": task_id,
        "prompt": SLOW,
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
    """Wait until the CLI is in the turn of a task."""
    deadline = time.monotonic() + 20
    while not cli_processes(stack.sides["main"].pid) or not any(
        one["conversation_id"] for one in runs(control, task_id)
    ):
        assert time.monotonic() < deadline, control.log()
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.2)


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


async def test_a_task_whose_control_is_killed_or_stopped_has_its_end(
    running_stack: RunningStack, database_url: str
) -> None:
    """O07, O08: what the agent's side finished alone is the result, said once."""
    settings = {**SETTINGS, "database_url": database_url}
    async with running_stack(with_spawner=False, drain_seconds=20) as stack:
        with ControlProcess(stack, settings=settings) as control:
            make(control, "killed")
            await until_said(stack, control, "killed")
            assert control.process is not None
            control.process.kill()
            control.process.wait()
            control.start()
            killed = await ended(control, "killed")
            said = contents(control, killed)

            make(control, "stopped")
            await until_said(stack, control, "stopped")
            status, _seconds = await asyncio.to_thread(control.stop)
            control.start()
            stopped = await ended(control, "stopped")

    for run in (killed, stopped):
        assert (run["status"], run["attempts"], run["error"]) == ("completed", 1, None)
        assert "offline model" in run["result"]
    assert said == [("user", "said"), ("assistant", "recovered")]
    assert status == 0


async def test_a_task_that_nobody_finished_runs_again_and_a_missed_one_once(
    running_stack: RunningStack, database_url: str
) -> None:
    """O07, J11: never left running; due while control was down is one run."""
    settings = {**SETTINGS, "database_url": database_url}
    async with running_stack(with_spawner=False, drain_seconds=20) as stack:
        with ControlProcess(stack, settings=settings) as control:
            make(control, "broken")
            await until_said(stack, control, "broken")
            make(control, "missed", 0.5)
            assert control.process is not None
            control.process.kill()
            control.process.wait()
            # Control and the agent's side went away at once, as in a power cut.
            await Running(stack, control).kill("agent", "main", 0.5)
            control.start()
            broken = await ended(control, "broken")
            missed = await ended(control, "missed")
            said = contents(control, broken)
            control.process.kill()
            control.process.wait()
            control.start()
            await asyncio.sleep(0.5)
            after = [len(runs(control, one)) for one in ("broken", "missed")]

    assert (broken["status"], broken["attempts"]) == ("completed", 2)
    assert said == [
        ("user", "said"),
        ("assistant", "error"),
        ("user", "said"),
        ("assistant", "success"),
    ]
    assert (missed["status"], missed["attempts"]) == ("completed", 1)
    assert after == [1, 1]
