# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /health tells how the queue is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from control.running_app import Control, Parts, control
from servers.redis import Redis

from .test_queue_redis import url_file


async def test_without_redis_the_length_is_that_of_the_table(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        assert await _told(running) == ("ok", 0, [])


async def test_while_redis_is_away_the_length_is_unknown_and_the_health_degraded(
    tmp_path: Path, redis_server: Redis
) -> None:
    """J06: -1 and degraded; the code stays 200, and it heals by itself."""
    path = url_file(tmp_path, redis_server.url)
    async with control(tmp_path, Parts(settings={"redis_url_file": path})) as running:
        before = await _told(running)
        await asyncio.to_thread(redis_server.stop)
        try:
            status, length, problems = await _told(running)
        finally:
            await asyncio.to_thread(redis_server.start)
        back = await _told(running)

    assert before == back == ("ok", 0, [])
    assert (status, length) == ("degraded", -1)
    assert ["Redis" in one for one in problems] == [True]


async def _told(running: Control) -> tuple[str, int, list[str]]:
    response = await running.client.get("/health")
    assert response.status_code == 200
    told = response.json()
    return told["status"], told["queue_length"], told["problems"]
