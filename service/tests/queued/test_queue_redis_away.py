# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The queue while Redis is restarted, killed, cut off, emptied or fails over."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
import redis
from conftest import until
from servers.redis import Redis, Sentinels

from agentd.queue.values import NewTask

from .running_queue import Start, running_queue
from .test_queue_redis import MANY, STREAM, url_file


@pytest.fixture
def redis_file(redis_server: Redis, tmp_path: Path) -> str:
    """The file with the address of one Redis."""
    return url_file(tmp_path, redis_server.url)


async def test_what_waits_is_the_same_after_a_restart_of_redis(
    redis_file: str, redis_server: Redis, database_url: str
) -> None:
    """O06: with workers paused nothing that was pushed is lost."""
    start = Start(settings={"redis_url_file": redis_file, **MANY})
    async with running_queue(database_url, start) as running:
        await until(lambda: running.queue.connected)
        running.queue.pause()
        accepted = [await running.queue.accept(NewTask("main", "x")) for _n in range(9)]
        with redis_server.client() as client:
            await until(lambda: client.xlen(STREAM) == 9)

        await asyncio.to_thread(redis_server.stop)
        assert await running.queue.length() == -1
        await asyncio.to_thread(redis_server.start)

        with redis_server.client() as client:
            assert client.xlen(STREAM) == 9
        await until(lambda: running.queue.connected)
        assert await running.queue.length() == 9
        running.queue.resume()
        for task in accepted:
            assert (await running.queue.finished(task.id, 10)).status == "completed"
    assert len(start.runner.begun) == 9


@pytest.mark.parametrize("how", ["killed", "cut off", "emptied"])
async def test_tasks_go_on_while_redis_is_away_and_when_it_is_back(
    redis_file: str, redis_server: Redis, postgres_url: str, how: str
) -> None:
    """J06: the length is -1 while it is away; tasks are accepted and run."""
    start = Start(settings={"redis_url_file": redis_file, **MANY})
    async with running_queue(postgres_url, start) as running:
        await until(lambda: running.queue.connected)
        accepted = [await running.queue.accept(NewTask("main", "1")) for _n in range(5)]
        if how == "killed":
            await asyncio.to_thread(redis_server.stop, signal.SIGKILL)
        elif how == "cut off":
            redis_server.cut()
        else:
            redis_server.empty()
        try:
            if how != "emptied":
                assert await running.queue.length() == -1
                assert not (await running.queue.state()).reachable
            accepted += [
                await running.queue.accept(NewTask("main", "2")) for _n in range(5)
            ]
            for task in accepted:
                ended = await running.queue.finished(task.id, 15)
                assert ended.status == "completed"
        finally:
            if how == "killed":
                await asyncio.to_thread(redis_server.start)
            elif how == "cut off":
                redis_server.join()
        await until(lambda: running.queue.connected)
        last = await running.queue.accept(NewTask("main", "3"))
        assert (await running.queue.finished(last.id, 10)).status == "completed"
        assert await running.queue.length() == 0
    assert len(start.runner.begun) == 11


async def test_tasks_go_on_when_the_sentinels_name_another_primary(
    sentinels: Sentinels, tmp_path: Path, postgres_url: str
) -> None:
    path = url_file(tmp_path, sentinels.url)
    start = Start(settings={"redis_url_file": path, **MANY})
    async with running_queue(postgres_url, start) as running:
        await until(lambda: running.queue.connected)
        accepted = [await running.queue.accept(NewTask("main", "1")) for _n in range(5)]
        first = sentinels.primary
        await asyncio.to_thread(first.stop, signal.SIGKILL)
        accepted += [
            await running.queue.accept(NewTask("main", "2")) for _n in range(5)
        ]
        await asyncio.to_thread(sentinels.until_primary_is_not, first)
        await until(lambda: running.queue.connected)
        accepted += [
            await running.queue.accept(NewTask("main", "3")) for _n in range(5)
        ]
        for task in accepted:
            assert (await running.queue.finished(task.id, 15)).status == "completed"
        with sentinels.primary.client() as client:
            await until(lambda: client.xlen(STREAM) == 0)
            assert isinstance(client, redis.Redis)
    assert len(start.runner.begun) == 15
