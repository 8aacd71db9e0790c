# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Schedules across restarts, and what is due while control is down."""

from __future__ import annotations

import asyncio
from pathlib import Path

from control.fakes import FakeEngine
from control.running_app import Parts

from .running import (
    Json,
    SetClock,
    json_of,
    make,
    runs_of,
    tasks_at,
    until,
    until_ended,
)


async def test_a_task_survives_a_restart_with_its_next_run(
    tmp_path: Path, stores: Json
) -> None:
    """J10."""
    time = SetClock()
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        made = await make(running, schedule_type="cron", schedule_value="0 9 * * *")
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        found = await json_of(await running.client.get("/task/each-minute"))
        runs = await runs_of(running)

    assert found == made
    assert runs == []


async def test_what_was_due_while_control_was_down_runs_once(
    tmp_path: Path, stores: Json
) -> None:
    """J11: many missed times are one run, and the beat goes on."""
    time = SetClock()
    begin = time.now
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        await make(running)
    time.now += 3610
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        runs = await until_ended(running)
        await asyncio.sleep(0.3)
        after = await runs_of(running)
        found = await json_of(await running.client.get("/task/each-minute"))
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        again = await runs_of(running)

    assert [one["status"] for one in runs] == ["completed"]
    assert len(after) == len(again) == 1
    assert found["next_run"] == _iso(begin + 3660)


async def test_a_check_runs_what_is_due_and_tells_how_it_ended(
    tmp_path: Path, stores: Json
) -> None:
    """J10, J11: the one that is due for the longest time, as picoclaw does."""
    time = SetClock()
    async with tasks_at(tmp_path, stores, Parts(clock=time.clock)) as running:
        await make(running)
        await make(running, id="later", schedule_value="90000")
        time.now += 100
        checked = await json_of(await running.client.post("/task/check"))

    executed = checked["executed"]
    assert (checked["checked"], checked["remaining"]) == (2, 1)
    assert (executed["task_id"], executed["status"]) == ("each-minute", "success")
    assert executed["result"] == "echo look"


async def test_two_controls_on_one_database_fire_a_schedule_once(
    tmp_path: Path, postgres_url: str
) -> None:
    """J11: the transaction that queues the task moves the schedule on."""
    time = SetClock()
    hosts = [
        Parts(clock=time.clock, settings={"host": name}) for name in ("one", "two")
    ]
    async with (
        tasks_at(tmp_path, {"database_url": postgres_url}, hosts[0]) as one,
        tasks_at(tmp_path, {"database_url": postgres_url}, hosts[1]) as two,
    ):
        await make(one)
        for count in range(1, 6):
            time.now += 61
            await asyncio.gather(
                *(
                    host.client.put("/task/each-minute", json={"priority": "low"})
                    for host in (one, two, one, two)
                )
            )
            runs = await until_ended(two, count)
            assert len(runs) == count


async def test_a_task_that_is_removed_in_its_run_is_cancelled(
    tmp_path: Path, stores: Json
) -> None:
    """J10: the turn ends, and nothing of the task is left."""
    engine = FakeEngine(gate=asyncio.Event())
    async with tasks_at(tmp_path, stores, Parts(engine=engine)) as running:
        await make(running, schedule_type="once", schedule_value="2020-01-01T00:00:00")
        await until(running, lambda runs: any(r["status"] == "running" for r in runs))
        while not engine.said:
            await asyncio.sleep(0.01)
        removed = await running.client.delete("/task/each-minute")
        gone = await running.client.get("/task/each-minute/runs")
        running_turns = running.turns.running_count
        chats = await json_of(await running.client.get("/chat"))

    assert (removed.status_code, gone.status_code) == (204, 404)
    assert running_turns == 0
    assert chats["conversations"] == []


def _iso(seconds: float) -> str:
    from agentd.api.times import iso

    return iso(seconds)
