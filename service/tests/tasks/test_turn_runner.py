# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks run as turns: what becomes of one, however its turn ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from control.fakes import FakeEngine, FakeSpawner, success, wish
from control.running_app import Parts

from agentd.engine.protocol import TurnOutcome
from agentd.errors import EngineBusy
from agentd.queue.values import Task
from agentd.tasks.runner import again_seconds

from .running import Json, ended, json_of, queued, said, tasks_at, until_runs


async def test_a_task_has_the_answer_the_cost_and_the_conversation_of_its_turn(
    tmp_path: Path, stores: Json
) -> None:
    """J10: and what is said meanwhile can be followed."""
    outcome = replace(success(wish(), "look"), cost_usd=0.25, session_id=None)
    parts = Parts(engine=FakeEngine(script=[outcome]))
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await ended(running, await queued(running, model="haiku"))
        messages = await said(running, task)
        heard = [
            one.event
            async for one in running.service.output.read(task.id, None, 0.5)
            if one is not None
        ]

    assert (task.status, task.result, task.cost_usd) == ("completed", "echo look", 0.25)
    assert messages == [("look", "said"), ("echo look", "success")]
    assert running.engine.wishes[0].model == "haiku"
    assert running.engine.uuids == [task.turn_uuid]
    assert [one for one in heard if one != "started"] == ["start", "chunk", "end"]


@pytest.mark.parametrize(
    ("status", "error"), [("error", "The model failed."), ("timeout", "Too slow.")]
)
async def test_a_turn_that_ends_badly_fails_its_task(
    tmp_path: Path, stores: Json, status: str, error: str
) -> None:
    outcome = TurnOutcome(status, None, error, None, None, None)  # type: ignore[arg-type]
    parts = Parts(engine=FakeEngine(script=[outcome]))
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await ended(running, await queued(running))

    assert (task.status, task.error, task.attempts) == ("failed", error, 1)


async def test_a_task_waits_for_its_agent_and_for_a_free_client(
    tmp_path: Path, stores: Json
) -> None:
    """To wait is no attempt, and nothing is said twice."""
    parts = Parts(
        engine=FakeEngine(script=[EngineBusy("All clients are in a turn.")]),
        spawner=FakeSpawner(connected={"main": False}),
    )
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await queued(running, timeout_seconds=5.0)
        await asyncio.sleep(0.5)
        before = (await json_of(await running.client.get("/chat")))["conversations"]
        running.spawner.connected["main"] = True
        task = await ended(running, task)

    assert before == []
    assert (task.status, task.attempts, task.result) == ("completed", 1, "echo look")
    assert all(seconds <= 5 for seconds in running.engine.timeouts)


async def test_a_task_waits_while_its_conversation_is_in_a_turn(
    tmp_path: Path, stores: Json
) -> None:
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with tasks_at(tmp_path, stores, parts) as running:
        assert parts.engine.gate is not None
        parts.engine.gate.set()
        known = (await running.say("first")).json()["conversation_id"]
        parts.engine.gate.clear()
        turn = asyncio.ensure_future(running.say("second", conversation_id=known))
        while len(running.engine.said) < 2:
            await asyncio.sleep(0.01)
        task = await queued(running, conversation_id=known)
        await asyncio.sleep(0.5)
        meanwhile = list(running.engine.said)
        parts.engine.gate.set()
        await turn
        task = await ended(running, task)
        messages = await said(running, task)

    assert meanwhile == ["first", "second"]
    assert (task.status, task.attempts) == ("completed", 1)
    assert [one for one, _status in messages][-2:] == ["look", "echo look"]


@pytest.mark.parametrize(
    ("waited", "again"), [(-5.0, 1.0), (0.0, 1.0), (100.0, 5.0), (3600.0, 15.0)]
)
def test_the_longer_a_task_is_put_off_the_later_it_comes_again(
    waited: float, again: float
) -> None:
    """Hundreds for one busy conversation leave places to the others of the agent."""
    task = Task(
        id="task-1",
        number=1,
        agent="main",
        prompt="look",
        priority="normal",
        status="running",
        attempts=1,
        created_at=1000.0,
        available_at=1000.0,
        started_at=1000.0 + waited,
    )

    assert again_seconds(task) == again


async def test_a_task_that_is_cancelled_ends_its_turn(
    tmp_path: Path, stores: Json
) -> None:
    """The turn is told as broken off, and the conversation goes on."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await queued(running)
        await until_runs(running, task)
        await running.service.queue.cancel(task.id)
        task = await ended(running, task)
        left = running.turns.running_count
        messages = await said(running, task)
        assert parts.engine.gate is not None
        parts.engine.gate.set()
        after = await running.say("go on", conversation_id=task.conversation_id)

    assert (task.status, left) == ("cancelled", 0)
    assert [status for _content, status in messages] == ["said", "error"]
    assert "broken off" in messages[1][0]
    assert after.json()["status"] == "success"


async def test_a_task_that_takes_too_long_fails_and_its_turn_ends(
    tmp_path: Path, stores: Json
) -> None:
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with tasks_at(tmp_path, stores, parts) as running:
        task = await ended(running, await queued(running, timeout_seconds=0.5))
        left = running.turns.running_count

    assert (task.status, left) == ("failed", 0)
    assert "0.5 s" in (task.error or "")
