# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What goes wrong: workers killed; servers restarted, crashed, lost and cut off."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from servers.postgres import Postgres
from servers.redis import Sentinels
from store.machines import Machine

CUT_SECONDS = 4.0
PAUSE_SECONDS = 0.5
BETWEEN_SECONDS = 2.0
ANSWER_SECONDS = 15.0
AT_ONCE = 0.2
NEW_TASKS = 2
NOT_STARTED = 3
SETTLE_SECONDS = 3.0


@dataclass
class Faults:
    """Who injects faults; everything that was ended is started again."""

    chance: random.Random
    machines: Sequence[Machine]
    accepted: Callable[[], int]
    done: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)

    async def kill_workers(self, count: int) -> None:
        """Kill that many workers at random points."""
        for _index in range(count):
            machine = self.chance.choice(self.machines)
            # Some at once after the last one, most below a load that runs.
            if self.chance.random() > AT_ONCE:
                await self.until_it_answers(machine)
                await self.until_more_was_accepted()
            await asyncio.sleep(self.chance.uniform(0, BETWEEN_SECONDS))
            self.look()
            await self.kill(machine)

    async def until_it_answers(self, machine: Machine) -> None:
        """Wait until a control takes connections, but not for ever."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            self.look()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", machine.control.port)) == 0:
                    return
            await asyncio.sleep(0.05)

    async def until_more_was_accepted(self) -> None:
        """Wait until there are new tasks, but not for ever."""
        deadline = time.monotonic() + ANSWER_SECONDS
        before = self.accepted()
        while self.accepted() < before + NEW_TASKS and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    async def kill(self, machine: Machine) -> None:
        """Kill a worker, and start it again as its supervisor would."""
        self.done["worker killed"] += 1
        await asyncio.to_thread(machine.kill_control)
        await asyncio.sleep(self.chance.uniform(0, PAUSE_SECONDS))
        machine.control.launch()

    def look(self) -> None:
        """Note and start again what ended by itself."""
        for machine in self.machines:
            process = machine.control.process
            if process is None or process.poll() is None:
                continue
            if process.returncode == NOT_STARTED:
                # Its database was away: whoever supervises it starts it again.
                self.done["worker could not start"] += 1
            else:
                self.crashes.append(f"a control ended, status {process.returncode}")
            machine.control.launch()


@dataclass
class ServerFaults:
    """Faults of PostgreSQL and of Redis with its sentinels."""

    postgres: Postgres
    sentinels: Sentinels
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def all(self) -> list[Callable[[], Awaitable[None]]]:
        """Return each kind of fault once, in an order of its own."""
        kinds = [
            self.restart_redis,
            self.lose_primary,
            self.restart_postgres,
            self.crash_postgres,
            self.cut_redis,
            self.cut_postgres,
        ]
        return self.chance.sample(kinds, len(kinds))

    async def restart_redis(self) -> None:
        """Stop the primary and start it again at once."""
        self.done["Redis restarted"] += 1
        primary = self.sentinels.primary
        await asyncio.to_thread(primary.stop)
        await asyncio.to_thread(primary.start)

    async def lose_primary(self) -> None:
        """Kill the primary, wait for another one, and give the old one back."""
        self.done["Redis primary lost"] += 1
        await asyncio.to_thread(self.sentinels.until_replicated)
        primary = self.sentinels.primary
        await asyncio.to_thread(primary.stop, signal.SIGKILL)
        await asyncio.to_thread(self.sentinels.until_primary_is_not, primary)
        await asyncio.sleep(SETTLE_SECONDS)
        await asyncio.to_thread(primary.start)
        await asyncio.sleep(SETTLE_SECONDS)

    async def restart_postgres(self) -> None:
        """Stop PostgreSQL, which ends every connection, and start it again."""
        self.done["PostgreSQL restarted"] += 1
        await asyncio.to_thread(self.postgres.stop)
        await asyncio.to_thread(self.postgres.start)

    async def crash_postgres(self) -> None:
        """End PostgreSQL without a shutdown; it recovers from its log."""
        self.done["PostgreSQL crashed"] += 1
        await asyncio.to_thread(self.postgres.stop, signal.SIGQUIT)
        await asyncio.to_thread(self.postgres.start)

    async def cut_redis(self) -> None:
        """Have the primary not answer for some seconds."""
        self.done["network to Redis cut"] += 1
        primary = self.sentinels.primary
        primary.cut()
        await asyncio.sleep(CUT_SECONDS)
        primary.join()
        await asyncio.sleep(SETTLE_SECONDS)

    async def cut_postgres(self) -> None:
        """Have PostgreSQL not answer for some seconds."""
        self.done["network to PostgreSQL cut"] += 1
        self.postgres.cut()
        await asyncio.sleep(CUT_SECONDS)
        self.postgres.join()
