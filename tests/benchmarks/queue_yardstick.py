# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Plain taskiq-redis with one PostgreSQL insert for each task, as its best user would.

A pool of connections, a stream with acknowledgement, and a receiver beside it that runs
as many tasks at once as the queue that it is compared with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg_pool import AsyncConnectionPool
from taskiq import AsyncTaskiqDecoratedTask
from taskiq.receiver import Receiver
from taskiq_redis import RedisStreamBroker

CONNECTIONS = 4
SECONDS = 120.0
STOP_SECONDS = 5.0
TABLE = """
CREATE TABLE plain_tasks (
    number bigserial PRIMARY KEY, id text UNIQUE, agent text, prompt text,
    status text, created_at double precision
)
"""
INSERT = (
    "INSERT INTO plain_tasks (id, agent, prompt, status, created_at)"
    " VALUES (%s, %s, %s, 'queued', %s)"
)


@dataclass
class Started:
    """When each task was started, by its name."""

    at: dict[str, float] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, name: str) -> None:
        """Note that a task starts now."""
        self.at[name] = time.perf_counter()
        self.changed.set()

    async def all_of(self, names: Iterable[str]) -> None:
        """Wait until each of these was started."""
        async with asyncio.timeout(SECONDS):
            for name in names:
                while name not in self.at:
                    self.changed.clear()
                    await self.changed.wait()


@dataclass
class Plain:
    """A broker with its receiver, and a table."""

    broker: RedisStreamBroker
    pool: AsyncConnectionPool[Any]
    task: AsyncTaskiqDecoratedTask[[str], Any]
    started: Started

    async def accept(self, name: str) -> float:
        """Store a task and put it into the queue; return when it was stored."""
        async with self.pool.connection() as connection:
            await connection.execute(INSERT, (name, "main", "nothing", time.time()))
        stored = time.perf_counter()
        await self.task.kiq(name)
        return stored


@asynccontextmanager
async def plain(
    postgres_url: str, redis_url: str, at_once: int
) -> AsyncIterator[Plain]:
    """Give the yardstick with everything started."""
    broker = RedisStreamBroker(redis_url, queue_name="plain", consumer_id="0")
    started = Started()

    @broker.task(task_name="nothing")
    async def nothing(name: str) -> None:
        started.note(name)

    async with AsyncConnectionPool(
        postgres_url, min_size=CONNECTIONS, max_size=CONNECTIONS, open=False
    ) as pool:
        async with pool.connection() as connection:
            await connection.execute(TABLE)
        await broker.startup()
        finish = asyncio.Event()
        receiver = Receiver(broker, max_async_tasks=at_once, run_startup=False)
        listening = asyncio.ensure_future(receiver.listen(finish))
        try:
            yield Plain(broker, pool, nothing, started)
        finally:
            finish.set()
            # It can wait for ever for the lock under which it claims again.
            await asyncio.wait({listening}, timeout=STOP_SECONDS)
            await broker.shutdown()
            listening.cancel()
            await asyncio.wait({listening}, timeout=STOP_SECONDS)
