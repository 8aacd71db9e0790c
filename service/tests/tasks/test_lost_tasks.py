# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks whose agent went away, or whose control stopped, in the midst of their turn."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from control.fakes import FakeEngine, FakeSpawner
from control.interrupted import ENDED, RUNNING
from control.running_app import Parts

from agentd.clock import Clock
from agentd.errors import AgentLost

from .running import Json, ended, queued, said, tasks_at, until_runs

BROKEN: Json = {**ENDED, "ended": False, "answer": None}
LOST = "Agent main went away."
BEGAN = time.time()
# What was claimed a moment ago is looked at later; here moments are short.
FAST = Clock(now=lambda: BEGAN + (time.time() - BEGAN) * 20)


async def test_a_task_whose_agent_went_away_takes_what_its_side_finished(
    tmp_path: Path, stores: Json
) -> None:
    """O07: the answer is found in the transcript, and the prompt is said once."""
    parts = Parts(
        clock=FAST,
        engine=FakeEngine(script=[AgentLost(LOST)]),
        spawner=FakeSpawner(turn_states=[RUNNING, ENDED]),
    )
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await ended(running, await queued(running))

    assert (task.status, task.result) == ("completed", "the answer")
    assert task.attempts == 1
    assert running.engine.said == ["look"]


async def test_a_task_that_its_agent_did_not_finish_runs_again_and_then_fails(
    tmp_path: Path, stores: Json
) -> None:
    """O07: never left running; in the same conversation, so often and no more."""
    parts = Parts(
        clock=FAST,
        engine=FakeEngine(script=[AgentLost(LOST), AgentLost(LOST)]),
        spawner=FakeSpawner(turn_states=[BROKEN]),
        settings={"task_max_attempts": 2},
    )
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await ended(running, await queued(running))
        messages = await said(running, task)

    assert (task.status, task.attempts) == ("failed", 2)
    assert "task_max_attempts" in (task.error or "")
    assert [one for one, status in messages if status == "said"] == ["look"] * 2


async def test_a_task_that_runs_at_a_stop_goes_on_at_the_next_start(
    tmp_path: Path, stores: Json
) -> None:
    """O07, O08: handed over to the agent's side, and its end found."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await queued(running)
        await until_runs(running, task)
        assert await running.service.queue.drain(0.05) == 1
        await running.turns.hand_over()
    back = Parts(spawner=FakeSpawner(turn_states=[RUNNING, ENDED]))
    async with tasks_at(tmp_path, stores, back) as running:
        task = await ended(running, task)

    assert (task.status, task.result, task.attempts) == ("completed", "the answer", 1)
    assert running.engine.said == []
