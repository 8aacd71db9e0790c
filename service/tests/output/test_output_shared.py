# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Hosts that share a database, with Redis and without: what each can tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from control.fakes import FakeEngine, FakeSpawner
from control.running_app import Control, Parts, control, events
from servers.redis import Redis

Json = dict[str, Any]


@asynccontextmanager
async def two_hosts(
    directory: Path, engine: FakeEngine, settings: Json
) -> AsyncIterator[tuple[Control, Control]]:
    """Start two hosts; each has an agent that the other has not."""
    parts = [
        Parts(
            engine=engine,
            spawner=FakeSpawner(connected={agent: True}),
            settings={**settings, "host": host},
        )
        for host, agent in (("a", "main"), ("b", "other"))
    ]
    async with control(directory, parts[0]) as one, control(directory, parts[1]) as two:
        yield one, two


async def followed(
    directory: Path, settings: Json
) -> tuple[list[tuple[str, Json]], Json]:
    """Run a task at one host; return what the other told meanwhile, and its end."""
    gate = asyncio.Event()
    async with two_hosts(directory, FakeEngine(gate=gate), settings) as (here, there):
        body = {"prompt": "mango", "agent": "main"}
        task = (await here.client.post("/queue", json=body)).json()
        async with asyncio.TaskGroup() as tasks:
            path = f"/queue/{task['id']}/output"
            reading = tasks.create_task(there.client.get(path))
            await asyncio.sleep(0.3)
            gate.set()
        ended = (await here.client.get(f"/queue/{task['id']}")).json()
    return events(reading.result().text), ended


async def test_without_redis_another_host_tells_the_end(
    tmp_path: Path, postgres_url: str
) -> None:
    told, ended = await followed(tmp_path, {"database_url": postgres_url})

    assert told == [("end", ended)]
    assert ended["status"] == "completed"


async def test_with_redis_another_host_tells_all(
    tmp_path: Path, postgres_url: str, redis_server: Redis
) -> None:
    (tmp_path / "redis").write_text(redis_server.url)
    settings = {
        "database_url": postgres_url,
        "redis_url_file": str(tmp_path / "redis"),
    }

    told, ended = await followed(tmp_path, settings)

    names = [name for name, _data in told]
    assert names == ["started", "start", "chunk", "end"]
    assert told[-1] == ("end", ended)
