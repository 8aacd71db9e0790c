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
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from statistics import median, quantiles

from queue_ways import Servers, Way, distributed, embedded, ours, yardstick
from record import ROOT, write_record
from sqlalchemy import text

from agentd.database.open import Database

sys.path.insert(0, str(ROOT / "service" / "tests"))

from servers.postgres import one_postgres
from servers.redis import one_redis, remove

ROUNDS = 5
TASKS = 1_500
PRODUCERS = 16
PACED = 300
PER_SECOND = 60
FINISHED = 100_000
DEQUEUES = 300


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
    postgres, redis = one_postgres(synced=True), one_redis()
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
