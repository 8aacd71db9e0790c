# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The queue over Redis, Sentinel and Cluster: taken in order, shared, acknowledged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conftest import until
from servers.redis import Redis

from agentd.queue.values import NewTask

from .running_queue import Start, running_queue

STREAM = "{agentkeep:demo}:queue:main:normal"
MANY = {"max_running_tasks": 20, "max_running_tasks_per_agent": 20}


def url_file(directory: Path, url: str) -> str:
    """Write the address into a file of its own and return its path."""
    path = directory / "redis-url"
    path.write_text(url)
    path.chmod(0o600)
    return str(path)


@pytest.fixture(params=["redis", "sentinel", "cluster"])
def any_redis(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The file with the address of each form of Redis."""
    names = {"redis": "redis_server", "sentinel": "sentinels", "cluster": "cluster"}
    server = request.getfixturevalue(names[request.param])
    return url_file(tmp_path, server.url)


@pytest.fixture
def redis_file(redis_server: Redis, tmp_path: Path) -> str:
    """The file with the address of one Redis."""
    return url_file(tmp_path, redis_server.url)


async def test_every_task_is_run_once_over_each_form_of_redis(
    any_redis: str, postgres_url: str
) -> None:
    start = Start(settings={"redis_url_file": any_redis, **MANY})
    async with running_queue(postgres_url, start) as running:
        await until(lambda: running.queue.connected)
        accepted = await asyncio.gather(
            *(running.queue.accept(NewTask("main", str(n))) for n in range(200))
        )
        ended = [await running.queue.finished(one.id, 20) for one in accepted]
        assert await running.queue.length() == 0
        assert (await running.queue.state()).reachable

    assert {one.status for one in ended} == {"completed"}
    assert sorted(map(int, start.runner.prompts())) == list(range(200))


async def test_messages_are_gone_when_their_tasks_have_ended(
    redis_file: str, redis_server: Redis, database_url: str
) -> None:
    start = Start(settings={"redis_url_file": redis_file})
    async with running_queue(database_url, start) as running:
        await until(lambda: running.queue.connected)
        running.queue.pause()
        task = await running.queue.accept(NewTask("main", "wait"))
        with redis_server.client() as client:
            await until(lambda: client.xlen(STREAM) == 1)
            running.queue.resume()
            await until(lambda: len(start.runner.begun) == 1)
            assert client.xlen(STREAM) == 1
            assert client.xpending(STREAM, "workers")["pending"] == 1
            start.runner.go.set()
            await running.queue.finished(task.id, 10)
            await until(lambda: client.xlen(STREAM) == 0)


async def test_tasks_are_taken_by_priority_over_redis(
    redis_file: str, redis_server: Redis, database_url: str
) -> None:
    start = Start(settings={"redis_url_file": redis_file, "max_running_tasks": 1})
    async with running_queue(database_url, start) as running:
        await until(lambda: running.queue.connected)
        # The one place is taken: nothing is on its way out of Redis meanwhile.
        await running.queue.accept(NewTask("main", "wait"))
        await until(lambda: len(start.runner.begun) == 1)
        for priority in ("low", "normal", "high"):
            for number in (1, 2):
                await running.queue.accept(
                    NewTask("main", f"{priority} {number}", priority=priority)
                )
        with redis_server.client() as client:
            # They are published in the order in which they were accepted.
            await until(lambda: client.xlen(STREAM.replace("normal", "high")) == 2)
        start.runner.go.set()
        await until(lambda: len(start.runner.begun) == 7)

    words = [f"{name} {n}" for name in ("high", "normal", "low") for n in (1, 2)]
    assert start.runner.prompts() == ["wait", *words]


async def test_two_hosts_share_the_tasks_and_none_is_run_twice(
    redis_file: str, postgres_url: str
) -> None:
    settings = {"redis_url_file": redis_file, "max_running_tasks": 4}
    one, two = (
        Start(settings={**settings, "host": name, "max_running_tasks_per_agent": 4})
        for name in ("one", "two")
    )
    async with (
        running_queue(postgres_url, one) as first,
        running_queue(postgres_url, two) as second,
    ):
        await until(lambda: first.queue.connected and second.queue.connected)
        accepted = await asyncio.gather(
            *(first.queue.accept(NewTask("main", "sleep 0.01")) for _n in range(100))
        )
        for task in accepted:
            assert (await second.queue.finished(task.id, 20)).status == "completed"

    ran = [task.id for task in one.runner.begun + two.runner.begun]
    assert sorted(ran) == sorted(task.id for task in accepted)
    assert one.runner.begun and two.runner.begun


async def test_what_is_no_task_goes_to_the_dead_list(
    redis_file: str, redis_server: Redis, database_url: str
) -> None:
    """O09: an unknown id and a foreign message are kept and told."""
    start = Start(settings={"redis_url_file": redis_file})
    async with running_queue(database_url, start) as running:
        await until(lambda: running.queue.connected)
        with redis_server.client() as client:
            client.xadd(STREAM, {"data": "task-nobody-knows"})
            client.xadd(STREAM, {"other": b"\xff\x00"})
            client.xadd(STREAM, {"data": b"x" * 9000})
            task = await running.queue.accept(NewTask("main", "x"))
            await running.queue.finished(task.id, 10)
            await until(lambda: client.xlen(STREAM) == 0)

        dead = await running.queue.dead()

        assert [one.source for one in dead] == [STREAM] * 3
        assert "task-nobody-knows" in {one.item for one in dead}
        assert (await running.queue.state()).dead == 3
