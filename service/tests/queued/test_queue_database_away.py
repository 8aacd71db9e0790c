# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The queue while PostgreSQL is away, and when it is back."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from conftest import until
from servers.postgres import Postgres
from servers.redis import Redis

from agentd.errors import DatabaseFailed
from agentd.queue.values import NewTask

from .running_queue import Start, running_queue
from .test_queue_redis import url_file


@pytest.mark.parametrize("with_redis", [False, True])
async def test_ends_are_kept_while_the_database_is_away_and_nothing_runs_twice(
    with_redis: bool,
    postgres_server: Postgres,
    postgres_url: str,
    redis_server: Redis,
    tmp_path: Path,
) -> None:
    settings: dict[str, object] = {}
    if with_redis:
        settings["redis_url_file"] = url_file(tmp_path, redis_server.url)
    start = Start(settings=settings)
    async with running_queue(postgres_url, start) as running:
        accepted = [await running.queue.accept(NewTask("main", "wait")) for _n in "123"]
        await until(lambda: len(start.runner.begun) == 2)

        await asyncio.to_thread(postgres_server.stop, signal.SIGQUIT)
        start.runner.go.set()
        with pytest.raises(DatabaseFailed):
            await running.queue.accept(NewTask("main", "refused"))
        await until(lambda: running.queue.running_count == 0)
        await asyncio.to_thread(postgres_server.start)

        for task in accepted:
            ended = await running.queue.finished(task.id, 15)
            assert (ended.status, ended.attempts) == ("completed", 1)
        last = await running.queue.accept(NewTask("main", "last"))
        assert (await running.queue.finished(last.id, 15)).status == "completed"
    assert start.runner.prompts() == ["wait"] * 3 + ["last"]


async def test_one_of_several_hosts_breaks_its_tasks_off_before_others_take_them(
    postgres_server: Postgres, postgres_url: str
) -> None:
    """Cut off for longer than a host may be: what it ran is begun again, once."""
    one, two = (
        Start(settings={"host": name, "worker_lost_seconds": 4})
        for name in ("one", "two")
    )
    async with (
        running_queue(postgres_url, one) as first,
        running_queue(postgres_url, two) as second,
    ):
        second.queue.pause()
        task = await first.queue.accept(NewTask("main", "wait"))
        await until(lambda: first.queue.running_count == 1)
        await asyncio.sleep(1)

        postgres_server.cut()
        try:
            await until(lambda: first.queue.running_count == 0)
        finally:
            postgres_server.join()
        one.runner.go.set()
        two.runner.go.set()
        second.queue.resume()

        ended = await first.queue.finished(task.id, 30)
        assert (ended.status, ended.attempts) == ("completed", 2)
    assert len(one.runner.begun) + len(two.runner.begun) == 2
