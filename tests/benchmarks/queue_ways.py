# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The ways to have a task run that the benchmark of the queue compares."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from queue_yardstick import Started, plain

from agentd.clock import Clock
from agentd.database.open import Database, open_database
from agentd.output.in_process import InProcessOutput
from agentd.queue.parts import QueueParts
from agentd.queue.queue import Queue
from agentd.queue.values import NewTask, Task, TaskEnd, TaskSteps
from agentd.settings import ControlSettings

AT_ONCE = 32


@dataclass
class Nothing:
    """Runs tasks by doing nothing, and notes when each started."""

    started: Started = field(default_factory=Started)

    async def run(self, task: Task, steps: TaskSteps) -> TaskEnd:
        """Do nothing."""
        self.started.note(task.prompt)
        return TaskEnd("completed")

    async def end_of(self, task: Task) -> TaskEnd | None:
        """Know nothing."""
        return TaskEnd("queued")


@dataclass
class Alone:
    """A host without others."""

    name: str = "bench"
    instance: str = "00000000-0000-4000-8000-000000000000"
    alone: bool = True

    def lost(self) -> frozenset[str]:
        """Return no host."""
        return frozenset()

    def hosts(self) -> dict[str, object]:
        """Return this host."""
        return {self.name: self}


@dataclass
class Way:
    """One way to have a task run: how it is accepted, and when each started.

    ``accept`` returns when the task was on disk.
    """

    accept: Callable[[str], Awaitable[float]]
    started: Started


@asynccontextmanager
async def ours(
    url: str, directory: Path, redis_url: str | None
) -> AsyncIterator[tuple[Way, Database]]:
    """Give the queue with everything started."""
    secret = directory / "redis_url"
    secret.write_text(redis_url or "")
    settings = ControlSettings.model_validate(
        {
            "component": "control",
            "deployment": "bench",
            "listen_host": "127.0.0.1",
            "agents": [{"name": "main"}],
            "max_running_tasks": AT_ONCE,
            "max_running_tasks_per_agent": AT_ONCE,
            "redis_url_file": str(secret) if redis_url else None,
        }
    )
    runner = Nothing()
    async with open_database(url) as database, InProcessOutput(60, Clock()) as output:
        parts = QueueParts(settings, database, Alone(), output, Clock(), runner)
        async with Queue(parts) as queue:

            async def accept(name: str) -> float:
                await queue.accept(NewTask("main", name))
                return time.perf_counter()

            yield Way(accept, runner.started), database


@dataclass
class Servers:
    """Addresses of what the ways stand on."""

    directory: Path
    postgres_url: Callable[[], str]
    redis_url: str
    empty: Callable[[], None]


@asynccontextmanager
async def yardstick(servers: Servers) -> AsyncIterator[Way]:
    """Give plain taskiq-redis as a way."""
    servers.empty()
    async with plain(servers.postgres_url(), servers.redis_url, AT_ONCE) as found:
        yield Way(found.accept, found.started)


@asynccontextmanager
async def distributed(servers: Servers) -> AsyncIterator[Way]:
    """Give our queue on PostgreSQL and Redis."""
    servers.empty()
    url, redis_url = servers.postgres_url(), servers.redis_url
    async with ours(url, servers.directory, redis_url) as (way, _database):
        yield way


@asynccontextmanager
async def embedded(servers: Servers) -> AsyncIterator[Way]:
    """Give our queue on SQLite alone."""
    path = servers.directory / f"{time.monotonic_ns()}.db"
    url = f"sqlite+aiosqlite:///{path}"
    async with ours(url, servers.directory, None) as (way, _database):
        yield way
