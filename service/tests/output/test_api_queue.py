# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Queued tasks over HTTP: accepted, listed, followed, cancelled and removed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from control.fakes import FakeEngine, FakeSpawner
from control.running_app import Control, Parts, control, events

Json = dict[str, Any]


async def queued(running: Control, prompt: str = "mango", **body: object) -> Json:
    """Queue a task and return it."""
    answer = await running.client.post("/queue", json={"prompt": prompt, **body})
    assert answer.status_code == 202, answer.text
    found: Json = answer.json()
    return found


async def ended(running: Control, **body: Any) -> Json:
    """Queue a task and return it when it ended."""
    task = await queued(running, **body)
    await running.service.queue.finished(task["id"], 10)
    found: Json = (await running.client.get(f"/queue/{task['id']}")).json()
    return found


async def test_a_task_is_accepted_run_and_told(
    tmp_path: Path, database_url: str
) -> None:
    settings = {"database_url": database_url}
    async with control(tmp_path, Parts(settings=settings)) as running:
        accepted = await queued(running, priority="high")
        task = await ended(running)
        log = (await running.client.get(f"/queue/{task['id']}/logs")).json()
        listed = (await running.client.get("/queue", params={"limit": 1})).json()
        failed = (await running.client.get("/queue?status=failed")).json()
        said = await running.client.get(f"/queue/{task['id']}/output")

    told = events(said.text)
    assert (accepted["status"], accepted["priority"]) == ("queued", "high")
    assert (task["status"], task["result"], task["attempts"]) == (
        *("completed", "echo mango", 1),
    )
    assert task["conversation_id"].startswith("conv-")
    assert [one["id"] for one in listed["tasks"]] == [task["id"]]
    assert (listed["more"], failed["tasks"]) == (True, [])
    assert (log["id"], log["more"]) == (task["id"], False)
    assert said.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _data in told] == ["started", "start", "chunk", "end"]
    assert told[-1] == ("end", task)


async def test_output_whose_time_is_over_is_told_from_the_table(
    tmp_path: Path,
) -> None:
    """O10: the output is not durable; how the task ended is."""
    async with control(tmp_path, Parts(settings={"output_ttl_seconds": 0.1})) as one:
        task = await ended(one)
        await asyncio.sleep(0.3)
        said = await one.client.get(f"/queue/{task['id']}/output")
    async with control(tmp_path) as another:
        after_a_restart = await another.client.get(f"/queue/{task['id']}/output")

    assert events(said.text) == [("end", task)]
    assert events(after_a_restart.text) == [("end", task)]


async def test_whoever_comes_back_names_the_last_event(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        task = await ended(running)
        path = f"/queue/{task['id']}/output"
        ids = [
            line.removeprefix("id: ")
            for line in (await running.client.get(path)).text.splitlines()
            if line.startswith("id: ")
        ]
        by_query = await running.client.get(path, params={"after": ids[-2]})
        by_header = await running.client.get(path, headers={"Last-Event-ID": ids[-2]})
        wrong = await running.client.get(path, params={"after": "yesterday"})

    assert events(by_query.text) == [("end", task)]
    assert by_header.text == by_query.text
    assert wrong.status_code == 400


async def test_a_waiting_task_is_cancelled_and_removed(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        later = await queued(running, available_at="2100-01-01T00:00:00Z")
        path = f"/queue/{later['id']}"
        cancelled = await running.client.post(f"{path}/cancel")
        again = await running.client.post(f"{path}/cancel")
        told = events((await running.client.get(f"{path}/output")).text)
        removed = await running.client.delete(path)
        gone = await running.client.delete(path)

    assert later["available_at"] == "2100-01-01T00:00:00.000Z"
    assert cancelled.json()["status"] == again.json()["status"] == "cancelled"
    assert [name for name, _data in told] == ["end"]
    assert (removed.status_code, gone.status_code) == (204, 404)


async def test_a_running_task_is_cancelled_and_not_removed(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with control(tmp_path, Parts(engine=engine)) as running:
        task = await queued(running)
        path = f"/queue/{task['id']}"
        while (await running.client.get(path)).json()["status"] != "running":
            await asyncio.sleep(0.01)
        refused = await running.client.delete(path)
        await running.client.post(f"{path}/cancel")
        await running.service.queue.finished(task["id"], 10)
        found = (await running.client.get(path)).json()

    assert refused.status_code == 409
    assert found["status"] == "cancelled"


async def test_a_task_for_a_conversation_stays_with_its_agent(tmp_path: Path) -> None:
    spawner = FakeSpawner(connected={"main": True, "other": True})
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        conversation = (await running.say("hello", agent="other")).json()
        task = await ended(running, conversation_id=conversation["conversation_id"])
        wrong = await running.client.post(
            "/queue",
            json={
                "prompt": "x",
                "agent": "main",
                "conversation_id": conversation["conversation_id"],
            },
        )

    assert task["agent"] == "other"
    assert task["conversation_id"] == conversation["conversation_id"]
    assert wrong.status_code == 400
    assert 'is one of agent "other"' in wrong.json()["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"prompt": " "}, 400),
        ({"prompt": "x", "priority": "highest"}, 400),
        ({"prompt": "x", "timeout_seconds": 0}, 400),
        ({"prompt": "x", "available_at": "tomorrow"}, 400),
        ({"prompt": "x", "available_at": 1772443800}, 400),
        ({"prompt": "x", "available_at": "1772443800"}, 400),
        ({"prompt": "x", "available_at": "2026-03-02T09:30:00"}, 400),
        ({"prompt": "x", "available_at": "1969-12-31T00:00:00Z"}, 400),
        ({"prompt": "x", "available_at": "9999-12-31T23:59:59-23:00"}, 400),
        ({"prompt": "x", "colour": "red"}, 400),
        ({"prompt": "x", "definition": "../x"}, 400),
        ({"prompt": "x", "agent": "nobody"}, 404),
        ({"prompt": "x", "conversation_id": "conv-none"}, 404),
    ],
)
async def test_what_cannot_be_queued_is_refused(
    tmp_path: Path, body: Json, status: int
) -> None:
    async with control(tmp_path) as running:
        answer = await running.client.post("/queue", json=body)
        listed = (await running.client.get("/queue")).json()

    assert answer.status_code == status, answer.text
    assert listed == {"tasks": [], "more": False}


async def test_long_words_are_cut_in_a_list_only(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        task = await queued(running, "x" * 500_000, available_at="2100-01-01T00:00:00Z")
        one = (await running.client.get(f"/queue/{task['id']}")).json()
        listed = (await running.client.get("/queue")).json()["tasks"][0]

    assert (len(one["prompt"]), len(listed["prompt"])) == (500_000, 10_000)


async def test_no_more_readers_are_taken_than_there_is_room_for(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        task = await ended(running)
        with running.service.joined.place():
            running.service.joined.count += 63
            refused = await running.client.get(f"/queue/{task['id']}/output")
            running.service.joined.count -= 63
        taken = await running.client.get(f"/queue/{task['id']}/output")

    assert (refused.status_code, taken.status_code) == (503, 200)
    assert refused.headers["Retry-After"]
    assert running.service.joined.count == 0


@pytest.mark.parametrize(
    "address",
    [
        "redis://127.0.0.1:1/0",
        "redis+sentinel://127.0.0.1:1/primary",
        "redis+cluster://127.0.0.1:1",
    ],
)
async def test_output_that_cannot_be_read_is_refused_before_it_begins(
    tmp_path: Path, address: str
) -> None:
    """J06: Redis is away, so that nothing can be followed; the queue goes on."""
    url = tmp_path / "redis"
    url.write_text(address)
    settings = {"redis_url_file": str(url)}
    async with control(tmp_path, Parts(settings=settings)) as running:
        task = await ended(running)
        refused = await running.client.get(f"/queue/{task['id']}/output")
        health = await running.client.get("/health")
        figures = (await running.client.get("/metrics")).text.splitlines()

    assert task["status"] == "completed"
    assert {"agentd_queue_up 0.0", "agentd_queue_length -1.0"} <= set(figures)
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert health.json()["queue_length"] == -1
    assert health.json()["problems"] != []
    assert refused.status_code == 503
    assert "Redis at 127.0.0.1:1" in refused.json()["error"]


async def test_the_queue_is_counted(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        await ended(running)
        await queued(running, available_at="2100-01-01T00:00:00Z")
        figures = (await running.client.get("/metrics")).text.splitlines()

    for line in (
        'agentd_tasks_total{agent="main",status="completed"} 1.0',
        'agentd_task_wait_seconds_count{agent="main"} 1.0',
        'agentd_task_run_seconds_count{agent="main"} 1.0',
        'agentd_tasks_queued{agent="main"} 1.0',
        'agentd_tasks_running{agent="main"} 0.0',
        "agentd_queue_up 1.0",
        "agentd_queue_length 1.0",
        "agentd_output_readers 0.0",
    ):
        assert line in figures


async def test_words_with_a_character_0_are_stored_and_told(
    tmp_path: Path, database_url: str
) -> None:
    """An agent's answer may hold one too: it must not hold up all other ends."""
    async with control(
        tmp_path, Parts(settings={"database_url": database_url})
    ) as running:
        task = await ended(running, prompt="man\0go")
        said = await running.say("man\0go")

    assert task["status"] == "completed"
    assert task["result"] in {"echo man\0go", "echo man\ufffdgo"}
    assert said.status_code == 200
