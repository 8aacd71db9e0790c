# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks accepted in a second and the time until they start, beside plain taskiq-redis.

The work is nothing, so that the figures are the queue's own. The yardstick stores each
task with one INSERT and sends it through the same Redis; its receiver runs as many at
once. Both run in this process, one after the other, who is first too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from queue_yardstick import Started, plain
from record import ROOT, write_record
from sqlalchemy import text

from agentd.clock import Clock
from agentd.database.open import Database, open_database
from agentd.output.in_process import InProcessOutput
from agentd.queue.parts import QueueParts
from agentd.queue.queue import Queue
from agentd.queue.values import NewTask, Task, TaskEnd, TaskSteps
from agentd.settings import ControlSettings

sys.path.insert(0, str(ROOT / "service" / "tests"))

from servers.postgres import one_postgres
from servers.redis import one_redis, remove

ROUNDS = 7
TASKS = 1_500
PRODUCERS = 16
AT_ONCE = 32
PACED = 300
PER_SECOND = 60
FINISHED = 100_000
DEQUEUES = 300


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


async def throughput(way: Way, label: str) -> float:
    """Return how many tasks a second are accepted, all of which are then run."""
    names = iter([f"{label}-{number}" for number in range(TASKS)])

    async def produce() -> None:
        for name in names:
            await way.accept(name)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _index in range(PRODUCERS):
            tasks.create_task(produce())
    taken = time.perf_counter() - began
    await way.started.all_of([f"{label}-{number}" for number in range(TASKS)])
    return TASKS / taken


async def waits(way: Way, label: str) -> tuple[list[float], list[float]]:
    """Return the seconds from the call and from acceptance to each start, paced."""
    called: dict[str, float] = {}
    accepted: dict[str, float] = {}

    async def one(name: str) -> None:
        called[name] = time.perf_counter()
        accepted[name] = await way.accept(name)

    async with asyncio.TaskGroup() as tasks:
        for number in range(PACED):
            tasks.create_task(one(f"{label}-{number}"))
            await asyncio.sleep(1 / PER_SECOND)
    await way.started.all_of(called)
    at = way.started.at
    return (
        [at[name] - since for name, since in called.items()],
        [max(0.0, at[name] - since) for name, since in accepted.items()],
    )


async def fill(database: Database) -> None:
    """Store tasks that ended long ago."""
    rows = text(
        "INSERT INTO tasks (id, agent, prompt, priority, rank, status, attempts,"
        " created_at, available_at, finished_at, cancel_requested, result)"
        " VALUES (:id, 'main', 'old', 'normal', 1, 'completed', 1, 1, 1, 2, :no, 'x')"
    )
    values = [{"id": f"old-{number}", "no": False} for number in range(FINISHED)]
    await database.do(lambda connection: connection.execute(rows, values))


async def dequeues(way: Way, label: str) -> list[float]:
    """Return the seconds from acceptance to start of tasks said one by one."""
    found = []
    for number in range(DEQUEUES):
        name = f"{label}-{number}"
        began = time.perf_counter()
        await way.accept(name)
        await way.started.all_of([name])
        found.append(way.started.at[name] - began)
    return found


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(values, n=20)[-1]


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


Ways = dict[str, Callable[[Servers], AbstractAsyncContextManager[Way]]]
WAYS: Ways = {
    "taskiq-redis and one insert": yardstick,
    "PostgreSQL and Redis": distributed,
    "SQLite": embedded,
}


async def measure(servers: Servers) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the samples of all ways, and the ratios that we promise."""
    samples: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        names = list(WAYS)[number % len(WAYS) :] + list(WAYS)[: number % len(WAYS)]
        for name in names:
            async with WAYS[name](servers) as way:
                rate = await throughput(way, f"rate{number}")
                called, accepted = await waits(way, f"wait{number}")
            for what, value in (
                ("tasks a second", rate),
                ("p95 from the call to the start", p95(called)),
                ("p95 from acceptance to the start", p95(accepted)),
            ):
                samples.setdefault(f"{name}: {what}", []).append(value)
    for name, redis_url in (
        ("PostgreSQL and Redis", servers.redis_url),
        ("SQLite", None),
    ):
        for what, times in (await with_finished(servers, redis_url)).items():
            samples[f"{name}: {what}"] = times
    return samples, ratios(samples)


async def with_finished(
    servers: Servers, redis_url: str | None
) -> dict[str, list[float]]:
    """Return how long a dequeue takes without and with many tasks that ended."""
    servers.empty()
    path = servers.directory / f"{time.monotonic_ns()}.db"
    url = servers.postgres_url() if redis_url else f"sqlite+aiosqlite:///{path}"
    async with ours(url, servers.directory, redis_url) as (way, database):
        await dequeues(way, "warm")
        before = await dequeues(way, "before")
        await fill(database)
        await dequeues(way, "warm again")
        after = await dequeues(way, "after")
    return {"one task, empty table": before, "one task, 100,000 ended": after}


def ratios(samples: dict[str, list[float]]) -> dict[str, float]:
    """Return the ratios that we promise, each the median over the rounds."""
    found = {}
    base = "taskiq-redis and one insert"
    for what, name in (
        ("tasks a second", "throughput"),
        ("p95 from the call to the start", "p95 from the call"),
        ("p95 from acceptance to the start", "p95 from acceptance"),
    ):
        ours_, theirs = (
            samples[f"PostgreSQL and Redis: {what}"],
            samples[f"{base}: {what}"],
        )
        pairs = zip(ours_, theirs, strict=True)
        found[name] = median(own / max(other, 1e-6) for own, other in pairs)
    for name in ("PostgreSQL and Redis", "SQLite"):
        before = median(samples[f"{name}: one task, empty table"])
        after = median(samples[f"{name}: one task, 100,000 ended"])
        found[f"{name}, 100,000 ended"] = after / before
    return found


def main() -> None:
    """Measure, report and record."""
    postgres, redis = one_postgres(), one_redis()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["TMPDIR"] = scratch
            servers = Servers(
                Path(scratch), postgres.new_database, redis.url, redis.empty
            )
            samples, found = asyncio.run(measure(servers))
    finally:
        postgres.stop()
        postgres.remove()
        redis.stop()
        remove(redis.directory)
    for name, values in samples.items():
        print(f"{name:60} {median(values):12.5f}")
    for name, value in found.items():
        print(f"ratio: {name:53} {value:12.2f}")
    write_record("queue_tasks", samples, unit="s or 1/s", facts={"ratios": found})


if __name__ == "__main__":
    main()
