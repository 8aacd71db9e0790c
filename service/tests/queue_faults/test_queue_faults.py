# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""O06, O07: whatever goes wrong, no accepted task is lost, and none is run twice."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import pytest
from servers.postgres import Postgres
from servers.redis import Sentinels
from store.machines import Machine, machine

from .ends import Ends, ends_of
from .faults import Faults, ServerFaults
from .load import Load

pytestmark = pytest.mark.live

# What a run by `nox -s service` has; `nox -s task_faults` has more of all.
KILLS = 3
FEW_SERVER_FAULTS = 3
SEED = 5
MOST_UNENDED = 8
ENDED_SECONDS = 150.0
WORKER_LOST_SECONDS = 4.0
# Of kills of workers: so many are followed by a fault of a server.
KILLS_A_SERVER_FAULT = 5


@dataclass
class Run:
    """One load with its faults, and all that was found wrong."""

    load: Load
    faults: Faults
    ends: Ends
    servers: Counter[str]
    seconds: float = 0.0
    until_ended_seconds: float = 0.0

    def found(self) -> list[str]:
        """Return what may never happen."""
        return [
            *self.load.faults,
            *self.faults.crashes,
            *self.ends.faults(self.load.accepted),
        ]

    def figures(self, seed: int) -> dict[str, object]:
        """Return what the run showed."""
        mine = [self.ends.rows[one] for one in self.load.accepted]
        again = [row for row in mine if row.attempts > 1]
        words = self.load.accepted.values()
        twice = [word for word in words if self.ends.completions[word] > 1]
        waited = [row.waited for row in mine if row.waited is not None]
        return {
            "seed": seed,
            "faults": {**self.faults.done, **self.servers},
            "asked": dict(self.load.counts),
            "accepted": len(mine),
            "ends": dict(Counter(row.status for row in mine)),
            "begun_again": len(again),
            "done_twice_after_a_kill": len(twice),
            "wrong": self.found()[:20],
            "lost_or_twice": len(self.found()),
            "median_seconds_to_the_end": round(median(waited), 2) if waited else None,
            "until_all_ended_seconds": round(self.until_ended_seconds, 1),
            "seconds": round(self.seconds, 1),
        }


async def test_on_sqlite_killed_workers_lose_no_task_and_run_none_twice(
    short_path: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """O07: SQLite alone."""
    url = f"sqlite+aiosqlite:///{tmp_path}/agentd.db"
    with hosts(short_path, url, ("a",)) as machines:
        run = await loaded(machines, url, chance(request), kills_of(request), None)
    conclude(run, request, "sqlite")


async def test_on_postgresql_and_redis_no_fault_loses_a_task_or_runs_one_twice(
    short_path: Path,
    postgres_server: Postgres,
    postgres_url: str,
    sentinels: Sentinels,
    request: pytest.FixtureRequest,
) -> None:
    """O06, O07: killed workers, Redis restarted and lost, PostgreSQL, the network."""
    secret = short_path / "redis_url"
    secret.write_text(sentinels.url)
    servers = ServerFaults(postgres_server, sentinels, chance(request))
    named = {"redis_url_file": str(secret)}
    with hosts(short_path, postgres_url, ("a", "b"), **named) as machines:
        run = await loaded(
            machines, postgres_url, chance(request), kills_of(request), servers
        )
    conclude(run, request, "grown")


def chance(request: pytest.FixtureRequest) -> random.Random:
    """Return what the random points come from."""
    seed = request.config.getoption("--faults-seed", None)
    return random.Random(SEED if seed is None else seed)


def kills_of(request: pytest.FixtureRequest) -> int:
    """Return how many workers are killed."""
    return request.config.getoption("--faults-kills", None) or KILLS


@contextmanager
def hosts(
    directory: Path, url: str, names: Sequence[str], **settings: str
) -> Iterator[list[Machine]]:
    """Run hosts that share a database."""
    with ExitStack() as exits:
        values = {
            "worker_lost_seconds": WORKER_LOST_SECONDS,
            "drain_seconds": 3,
            "max_running_tasks_per_agent": 3,
            # Far more often than workers die, a task is killed in each attempt here.
            "task_max_attempts": 50,
            **settings,
        }
        yield [
            exits.enter_context(machine(directory, name, url, **values))
            for name in names
        ]


async def loaded(
    machines: Sequence[Machine],
    url: str,
    chance: random.Random,
    kills: int,
    servers: ServerFaults | None,
) -> Run:
    """Run the load and the faults below it, then wait for every end."""
    began = time.monotonic()
    load = Load(chance, MOST_UNENDED)
    own = random.Random(chance.random())
    faults = Faults(own, machines, lambda: len(load.accepted))
    run = Run(load, faults, ends_of(url), servers.done if servers else Counter())
    async with asyncio.TaskGroup() as tasks:
        stop = asyncio.Event()
        tasks.create_task(watch(run, stop))
        async with clients_of(machines) as clients:
            loading = tasks.create_task(load.run(clients, stop))
            await load.until_accepted(KILLS)
            await inject(faults, kills, servers)
            await asyncio.sleep(1)
            stop.set()
            await loading
    ended = time.monotonic()
    await until_ended(run)
    run.until_ended_seconds = time.monotonic() - ended
    run.ends.count()
    run.ends.engine.dispose()
    run.seconds = time.monotonic() - began
    return run


async def inject(faults: Faults, kills: int, servers: ServerFaults | None) -> None:
    """Kill workers, and between them have each fault of the servers."""
    few = FEW_SERVER_FAULTS if kills <= KILLS else None
    pending = servers.all()[:few] if servers else []
    left = kills
    while left or pending:
        some = min(left, KILLS_A_SERVER_FAULT if kills > KILLS else 1)
        await faults.kill_workers(some)
        left -= some
        if pending:
            await pending.pop()()
        elif servers and left:
            pending = servers.all()


async def watch(run: Run, stop: asyncio.Event) -> None:
    """Count what has not ended, while the database answers."""
    while not stop.is_set():
        try:
            run.load.unended = await asyncio.to_thread(run.ends.look)
        except Exception:
            run.load.unended = MOST_UNENDED
        await asyncio.sleep(0.2)


async def until_ended(run: Run) -> None:
    """Wait until each task has ended, or for long enough."""
    deadline = time.monotonic() + ENDED_SECONDS
    while await asyncio.to_thread(run.ends.look) and time.monotonic() < deadline:
        run.faults.look()
        await asyncio.sleep(0.3)


@asynccontextmanager
async def clients_of(
    machines: Sequence[Machine],
) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Give one client for each host, whose port is the same in all of its lives."""
    async with AsyncExitStack() as exits:
        yield [
            await exits.enter_async_context(
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{one.control.port}",
                    headers={"Authorization": f"Bearer {one.control.token}"},
                    timeout=30,
                    trust_env=False,
                )
            )
            for one in machines
        ]


def conclude(run: Run, request: pytest.FixtureRequest, name: str) -> None:
    """Tell the figures, and fail if anything was lost or run twice."""
    seed = request.config.getoption("--faults-seed", None)
    figures = run.figures(SEED if seed is None else seed)
    print(json.dumps(figures))
    if report := request.config.getoption("--faults-report", None):
        path = Path(report) / f"{name}.json"
        path.write_text(json.dumps(figures), encoding="utf-8")
    assert run.found() == []
    assert run.faults.done["worker killed"] >= kills_of(request)
    assert len(run.load.accepted) >= kills_of(request)
