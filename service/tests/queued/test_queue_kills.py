# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Workers that are killed: what they had taken runs again, or fails with a reason."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import until
from servers.redis import Redis

from agentd.queue.values import NewTask, Task, TaskEnd

from .running_queue import Running, Start, running_queue
from .test_queue_redis import url_file
from .worker import WorkerProcess

LOST = {"worker_lost_seconds": 2, "max_running_tasks_per_agent": 5}
# A longer run: AGENTKEEP_KILLS=50 pytest -s -k under_load.
KILLS = int(os.environ.get("AGENTKEEP_KILLS", "3"))


async def _taken_by_one_that_was_killed(url: str, path: Path, prompt: str) -> Task:
    """Return a task that a worker had begun when it was killed."""
    worker = WorkerProcess(path, url, dict(LOST))
    async with running_queue(url, Start(settings={"host": "other", **LOST})) as other:
        other.queue.pause()
        task = await other.queue.accept(NewTask("main", prompt))
    await asyncio.to_thread(worker.start)
    await until(lambda: len(worker.runs()) == 1)
    worker.end(signal.SIGKILL)
    return task


async def test_a_task_that_was_taken_at_a_kill_runs_again_at_the_next_start(
    database_url: str, tmp_path: Path
) -> None:
    """O07, O12: it is never left running."""
    task = await _taken_by_one_that_was_killed(database_url, tmp_path, "wait")
    start = Start(settings=dict(LOST))
    start.runner.go.set()

    async with running_queue(database_url, start) as running:
        ended = await running.queue.finished(task.id, 10)

        assert (ended.status, ended.attempts) == ("completed", 2)
        lines = await running.queue.logs(task.id)
        assert [line.event for line in lines] == ["repaired_queued"]


async def test_a_task_that_was_begun_too_often_fails_with_the_reason(
    database_url: str, tmp_path: Path
) -> None:
    """O07: begun once, and it may be begun once."""
    task = await _taken_by_one_that_was_killed(database_url, tmp_path, "wait")

    start = Start(settings={**LOST, "task_max_attempts": 1})
    async with running_queue(database_url, start) as running:
        ended = await running.queue.finished(task.id, 10)

    assert ended.status == "failed"
    assert "attempt 1 of 1" in (ended.error or "")
    assert start.runner.begun == []


async def test_an_end_that_is_known_is_stored_and_nothing_runs_again(
    database_url: str, tmp_path: Path
) -> None:
    task = await _taken_by_one_that_was_killed(database_url, tmp_path, "wait")
    start = Start(settings=dict(LOST))
    start.runner.ends["wait"] = TaskEnd("completed", result="found", cost_usd=0.1)

    async with running_queue(database_url, start) as running:
        ended = await running.queue.finished(task.id, 10)

    assert (ended.status, ended.result) == ("completed", "found")
    assert start.runner.begun == []


async def test_while_nobody_knows_the_end_it_is_asked_for_again(
    database_url: str, tmp_path: Path
) -> None:
    task = await _taken_by_one_that_was_killed(database_url, tmp_path, "wait")
    start = Start(settings=dict(LOST))
    start.runner.ends["wait"] = None

    async with running_queue(database_url, start) as running:
        await asyncio.sleep(0.3)
        assert (await running.queue.task(task.id)).status == "running"
        start.runner.ends["wait"] = TaskEnd("completed", result="found")
        ended = await running.queue.finished(task.id, 10)

    assert ended.status == "completed"


async def test_another_host_takes_what_a_killed_one_had(
    postgres_url: str, redis_server: Redis, tmp_path: Path
) -> None:
    settings = {"redis_url_file": url_file(tmp_path, redis_server.url), **LOST}
    worker = WorkerProcess(tmp_path, postgres_url, {"host": "one", **settings})
    start = Start(settings={"host": "two", **settings})
    async with running_queue(postgres_url, start) as running:
        running.queue.pause()
        await asyncio.to_thread(worker.start)
        await until(lambda: running.queue.connected)
        task = await running.queue.accept(NewTask("main", "wait"))
        await until(lambda: len(worker.runs()) == 1)

        worker.end(signal.SIGKILL)
        running.queue.resume()
        start.runner.go.set()
        ended = await running.queue.finished(task.id, 15)

        assert (ended.status, ended.host, ended.attempts) == ("completed", "two", 2)


async def test_a_task_that_runs_at_another_host_is_cancelled(
    postgres_url: str, tmp_path: Path
) -> None:
    worker = WorkerProcess(tmp_path, postgres_url, {"host": "one", **LOST})
    start = Start(settings={"host": "two", **LOST})
    async with running_queue(postgres_url, start) as running:
        running.queue.pause()
        await asyncio.to_thread(worker.start)
        try:
            task = await running.queue.accept(NewTask("main", "wait"))
            await until(lambda: len(worker.runs()) == 1)
            asked = time.monotonic()

            await running.queue.cancel(task.id)
            ended = await running.queue.finished(task.id, 10)

            assert (ended.status, ended.host) == ("cancelled", "one")
            assert time.monotonic() - asked < 4
        finally:
            worker.end(signal.SIGTERM)


@pytest.mark.parametrize("kind", ["alone", "grown"])
async def test_no_accepted_task_is_lost_when_workers_are_killed_under_load(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """O07: each ends once; only what was running at a kill is begun again."""
    settings: dict[str, object] = {**LOST, "task_max_attempts": 20}
    if kind == "alone":
        url = f"sqlite+aiosqlite:///{tmp_path}/agentd.db"
    else:
        url = request.getfixturevalue("postgres_url")
        server: Redis = request.getfixturevalue("redis_server")
        settings["redis_url_file"] = url_file(tmp_path, server.url)
    worker = WorkerProcess(tmp_path, url, {"host": "one", **settings})
    start = Start(settings={"host": "one" if kind == "alone" else "two", **settings})
    accepted: list[str] = []
    async with running_queue(url, start) as running:
        running.queue.pause()
        accepted += await _accept(running, 25 * KILLS)
    await asyncio.to_thread(worker.start)
    for _index in range(KILLS):
        await asyncio.sleep(random.uniform(0.05, 0.3))
        worker.end(signal.SIGKILL)
        await asyncio.to_thread(worker.start)
    await _until_idle(worker)
    worker.end(signal.SIGTERM)

    async with running_queue(url, start) as running:
        ended = [await running.queue.finished(one, 15) for one in accepted]

    runs = Counter((task_id, word) for word, task_id, _attempt in worker.runs())
    begun = sum(count for (_one, word), count in runs.items() if word == "begin")
    print(f"{KILLS} kills, {len(accepted)} tasks, {begun} runs begun")
    assert {task.status for task in ended} == {"completed"}
    for task in ended:
        # What had ended a moment before the kill was not stored as ended.
        assert runs[task.id, "begin"] <= task.attempts
        assert runs[task.id, "end"] >= 1 or task.host != "one"


async def _accept(running: Running, count: int) -> list[str]:
    tasks = await asyncio.gather(
        *(running.queue.accept(NewTask("main", "sleep 0.03")) for _n in range(count))
    )
    return [task.id for task in tasks]


async def _until_idle(worker: WorkerProcess) -> None:
    """Wait until nothing was begun or ended for a while."""
    count = -1
    while count != len(worker.runs()):
        count = len(worker.runs())
        await asyncio.sleep(1.5)
