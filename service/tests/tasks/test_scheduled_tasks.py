# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Scheduled tasks over HTTP, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from control.fakes import FakeEngine
from control.running_app import Parts

from .running import (
    EACH_MINUTE,
    Json,
    SetClock,
    json_of,
    make,
    runs_of,
    tasks_at,
    until,
    until_ended,
)

PICOCLAW_KEYS = {
    *("id", "conversation_id", "prompt", "schedule_type", "schedule_value"),
    *("context_mode", "next_run", "last_run", "last_result", "status", "created_at"),
}


async def test_a_task_is_made_listed_changed_and_removed(
    tmp_path: Path, stores: Json
) -> None:
    """J10: 201, 200, 200, 204, with the fields that clients of picoclaw read."""
    async with tasks_at(tmp_path, stores) as running:
        made = await make(running, time_zone="Europe/Berlin", priority="high")
        listed = await json_of(await running.client.get("/tasks"))
        changed = await json_of(
            await running.client.put(
                "/task/each-minute", json={"prompt": "see", "status": "paused"}
            )
        )
        one = await json_of(await running.client.get("/task/each-minute"))
        removed = await running.client.delete("/task/each-minute")
        empty = await json_of(await running.client.get("/tasks"))

    assert made.keys() >= PICOCLAW_KEYS
    assert (made["status"], made["context_mode"]) == ("active", "isolated")
    assert listed == {"tasks": [made], "more": False}
    assert (changed["prompt"], changed["status"]) == ("see", "paused")
    assert one == changed
    assert (removed.status_code, empty["tasks"]) == (204, [])


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"schedule_value": "soon"}, "no interval"),
        ({"schedule_type": "cron", "schedule_value": "* *"}, "no cron expression"),
        ({"schedule_type": "hourly"}, "not valid"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"conversation_id": "conv-none"}, "does not exist"),
        ({"agent": "nobody"}, "not declared"),
        ({"prompt": "  "}, "prompt is empty"),
        ({"prompt": None}, "not valid"),
        ({"id": "../x"}, "not valid"),
    ],
)
async def test_what_cannot_be_a_task_is_refused_with_400(
    tmp_path: Path, body: Json, part: str
) -> None:
    """J10."""
    async with tasks_at(tmp_path, {}) as running:
        answer = await running.client.post("/task", json={**EACH_MINUTE, **body})
        listed = await json_of(await running.client.get("/tasks"))

    assert (answer.status_code, listed["tasks"]) == (400, [])
    assert part in answer.json()["error"]


async def test_unknown_tasks_are_404_and_a_second_of_an_id_is_400(
    tmp_path: Path, stores: Json
) -> None:
    """J10."""
    async with tasks_at(tmp_path, stores) as running:
        client = running.client
        await make(running)
        again = await client.post("/task", json=EACH_MINUTE)
        wrong = await client.put("/task/each-minute", json={"schedule_value": "-1"})
        unknown = [
            await client.get("/task/none"),
            await client.put("/task/none", json={"prompt": "x"}),
            await client.delete("/task/none"),
            await client.get("/task/none/runs"),
            await client.post("/task/trigger", json={"task_id": "none"}),
        ]
        no_id = await client.post("/task/trigger", json={})
        kept = await json_of(await client.get("/task/each-minute"))

    assert (again.status_code, wrong.status_code, no_id.status_code) == (400, 400, 400)
    assert [one.status_code for one in unknown] == [404] * 5
    assert kept["schedule_value"] == "60000"


async def test_what_is_due_is_run_and_due_again(tmp_path: Path, stores: Json) -> None:
    """J10: each run of an isolated task is a conversation of its own."""
    time = SetClock()
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        made = await make(running, schedule_type="interval", schedule_value="60000")
        time.now += 61
        await running.client.put("/task/each-minute", json={"priority": "low"})
        (run,) = await until_ended(running)
        time.now += 60
        await running.client.put("/task/each-minute", json={"priority": "high"})
        runs = await until_ended(running, 2)
        after = await json_of(await running.client.get("/task/each-minute"))
        said = await json_of(
            await running.client.get(f"/chat/{run['conversation_id']}/messages")
        )

    assert (run["status"], run["result"], run["attempts"]) == (
        "completed",
        "echo look",
        1,
    )
    assert len({one["conversation_id"] for one in runs}) == 2
    assert [one["content"] for one in said["messages"]] == ["look", "echo look"]
    assert after["last_result"] == "echo look"
    assert after["next_run"] > after["last_run"] > made["next_run"]


async def test_a_group_goes_on_in_its_conversation(
    tmp_path: Path, stores: Json
) -> None:
    """J10: in the one that is named, or in one of its own."""
    async with tasks_at(tmp_path, stores) as running:
        known = (await running.say("before")).json()["conversation_id"]
        named = await make(running, context_mode="group", conversation_id=known)
        own = await make(running, id="own", context_mode="group")
        for task_id in ("each-minute", "own", "own"):
            answer = await running.client.post(
                "/task/trigger", json={"task_id": task_id}
            )
            assert answer.json()["status"] == "success", answer.text
        counts = [
            (await json_of(await running.client.get(f"/chat/{one}")))["message_count"]
            for one in (known, own["conversation_id"])
        ]

    assert named["conversation_id"] == known
    assert counts == [4, 4]


async def test_a_task_is_triggered_and_its_end_is_answered(
    tmp_path: Path, stores: Json
) -> None:
    """J10: 200 with how it ended; 409 while a run is under way; times stay."""
    engine = FakeEngine(gate=asyncio.Event())
    async with tasks_at(tmp_path, stores, Parts(engine=engine)) as running:
        made = await make(running)
        post = running.client.post
        first = asyncio.ensure_future(
            post("/task/trigger", json={"task_id": "each-minute"})
        )
        await until(running, lambda runs: any(r["status"] == "running" for r in runs))
        second = await post("/task/trigger", json={"task_id": "each-minute"})
        assert engine.gate is not None
        engine.gate.set()
        ended = await json_of(await first)

    assert second.status_code == 409
    assert (ended["status"], ended["task_id"]) == ("success", "each-minute")
    assert ended["result"] == "echo look"
    assert ended["next_run"] == made["next_run"]


async def test_a_trigger_is_refused_while_the_conversation_is_in_a_turn(
    tmp_path: Path, stores: Json
) -> None:
    """J10: 409, with the conversation."""
    engine = FakeEngine(gate=asyncio.Event())
    async with tasks_at(tmp_path, stores, Parts(engine=engine)) as running:
        made = await make(running, context_mode="group")
        known = made["conversation_id"]
        turn = asyncio.ensure_future(running.say("x", conversation_id=known))
        while not engine.said:
            await asyncio.sleep(0.01)
        refused = await running.client.post(
            "/task/trigger", json={"task_id": "each-minute"}
        )
        assert engine.gate is not None
        engine.gate.set()
        await turn

    assert refused.status_code == 409
    assert refused.json()["conversation_id"] == known


async def test_a_paused_task_is_not_run_and_goes_on_with_what_comes_next(
    tmp_path: Path, stores: Json
) -> None:
    """J10: what was missed while it was paused is left out."""
    time = SetClock()
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        await make(running)
        await running.client.put("/task/each-minute", json={"status": "paused"})
        time.now += 600
        checked = await json_of(await running.client.post("/task/check"))
        paused = await runs_of(running)
        resumed = await json_of(
            await running.client.put("/task/each-minute", json={"status": "active"})
        )
        still = await runs_of(running)

    assert checked == {
        "checked": 0,
        "executed": None,
        "remaining": 0,
        "message": "No due tasks",
    }
    assert (paused, still) == ([], [])
    assert resumed["status"] == "active"
    assert resumed["next_run"] is not None


async def test_once_is_run_once_and_is_completed(tmp_path: Path, stores: Json) -> None:
    """J10: a time in the past is due at once."""
    async with tasks_at(tmp_path, stores) as running:
        await make(running, schedule_type="once", schedule_value="2020-01-01T00:00:00")
        await until_ended(running)
        after = await json_of(await running.client.get("/task/each-minute"))

    assert (after["status"], after["next_run"]) == ("completed", None)


async def test_a_run_is_left_out_while_the_one_before_goes_on(
    tmp_path: Path, stores: Json
) -> None:
    """A slow run is not followed by a heap of others."""
    time, engine = SetClock(), FakeEngine(gate=asyncio.Event())
    parts = Parts(clock=time.clock, engine=engine)
    async with tasks_at(tmp_path, stores, parts) as running:
        await make(running)
        for _number in range(3):
            time.now += 61
            await running.client.put("/task/each-minute", json={"priority": "low"})
            await until(running, lambda runs: len(runs) == 1)
        assert engine.gate is not None
        engine.gate.set()
        runs = await until_ended(running)

    assert len(runs) == 1
