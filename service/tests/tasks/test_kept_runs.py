# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is kept of runs, for how long, and what goes with a conversation."""

from __future__ import annotations

import asyncio
from pathlib import Path

from control.fakes import FakeSpawner
from control.running_app import Control, Parts
from sqlalchemy import text

from agentd.api.state import Service
from agentd.database.open import open_database
from agentd.queue.values import NewTask
from agentd.tasks.retention import Retention

from .running import Json, SetClock, json_of, make, runs_of, tasks_at, until_ended

TABLES = ("conversations", "messages", "scheduled_tasks", "tasks", "task_logs")


async def sweep(service: Service) -> int:
    """Remove what is not kept; return how many tasks that were."""
    parts = service.settings, service.database, service.turns, service.clock
    return await Retention(*parts).sweep()


async def trigger(running: Control, count: int) -> None:
    """Run the task so many times."""
    for _number in range(count):
        answer = await running.client.post(
            "/task/trigger", json={"task_id": "each-minute"}
        )
        assert answer.json()["status"] == "success", answer.text


async def counts(url: str) -> dict[str, int]:
    """Return how many rows the tables have."""
    async with open_database(url) as database, database.read() as connection:
        return {
            table: int(
                await connection.scalar(text(f"SELECT COUNT(*) FROM {table}")) or 0
            )
            for table in TABLES
        }


async def test_the_newest_runs_of_a_task_are_kept(tmp_path: Path, stores: Json) -> None:
    """I13: with the conversations of those alone; others that were begun stay."""
    parts = Parts(settings={"task_log_retention": 3})
    async with tasks_at(tmp_path, stores, parts) as running:
        await make(running)
        await trigger(running, 6)
        before = await runs_of(running)
        talked = before[4]["conversation_id"]
        await running.say("and you?", conversation_id=talked)
        removed = await sweep(running.service)
        after = await runs_of(running)
        chats = await json_of(await running.client.get("/chat"))
        again = await sweep(running.service)

    kept = [one["conversation_id"] for one in before[:3]]
    assert [one["id"] for one in after] == [one["id"] for one in before[:3]]
    assert (removed, again) == (3, 0)
    assert {one["id"] for one in chats["conversations"]} == {*kept, talked}


async def test_a_task_without_schedule_is_kept_for_a_time_and_its_conversation_stays(
    tmp_path: Path, stores: Json
) -> None:
    """I13."""
    time = SetClock()
    parts = Parts(clock=time.clock, settings={"task_retention_days": 2.0})
    async with tasks_at(tmp_path, stores, parts) as running:
        queue = running.service.queue
        task = await queue.accept(NewTask(agent="main", prompt="x"))
        ended = await queue.finished(task.id, 10)
        time.now += 86_400
        early = await sweep(running.service)
        time.now += 86_401
        late = await sweep(running.service)
        left = await queue.list()
        chats = await json_of(await running.client.get("/chat"))

    assert (ended.status, early, late, left) == ("completed", 0, 1, [])
    assert [one["id"] for one in chats["conversations"]] == [ended.conversation_id]


async def test_a_conversation_is_removed_with_its_tasks_and_their_logs(
    tmp_path: Path, stores: Json
) -> None:
    """O11."""
    async with tasks_at(tmp_path, stores) as running:
        made = await make(running, context_mode="group")
        known = made["conversation_id"]
        await trigger(running, 2)
        queue = running.service.queue
        await queue.accept(
            NewTask(
                agent="main",
                prompt="later",
                conversation_id=known,
                available_at=running.service.clock.now() + 3600,
            )
        )
        other = (await running.say("stays")).json()["conversation_id"]
        removed = await running.client.delete(f"/chat/{known}")
        task = await running.client.get("/task/each-minute")
        chats = await json_of(await running.client.get("/chat"))
    left = await counts(stores["database_url"])

    assert (removed.status_code, task.status_code) == (204, 404)
    assert [one["id"] for one in chats["conversations"]] == [other]
    assert left == {
        "conversations": 1,
        "messages": 2,
        "scheduled_tasks": 0,
        "tasks": 0,
        "task_logs": 0,
    }


async def test_a_task_that_is_removed_takes_its_runs_along(
    tmp_path: Path, stores: Json
) -> None:
    """J10, O11: runs that began conversations of their own too."""
    async with tasks_at(tmp_path, stores) as running:
        await make(running)
        await trigger(running, 2)
        await until_ended(running, 2)
        removed = await running.client.delete("/task/each-minute")
        await asyncio.sleep(0)
    left = await counts(stores["database_url"])

    assert removed.status_code == 204
    assert set(left.values()) == {0}


async def test_a_task_whose_agent_is_gone_can_still_be_paused_and_removed(
    tmp_path: Path, stores: Json
) -> None:
    """J10: what is left of an agent that is no longer declared."""
    both = Parts(spawner=FakeSpawner(connected={"main": True, "other": True}))
    async with tasks_at(tmp_path, stores, both) as running:
        await make(running, agent="other")
    async with tasks_at(tmp_path, stores) as running:
        paused = await running.client.put(
            "/task/each-minute", json={"status": "paused"}
        )
        moved = await running.client.put(
            "/task/each-minute", json={"context_mode": "group"}
        )
        removed = await running.client.delete("/task/each-minute")

    assert paused.json()["status"] == "paused"
    assert (moved.status_code, removed.status_code) == (400, 204)
