# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who kills: which process, and when, from one seed."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from .load import Ledger
from .running import Running

# Of seven kills; each round has all of them, in an order of its own.
ROUND = ("control", "control", "agent", "agent", "cli", "cli", "gateway")
AT_ONCE = 0.25
AT_ONCE_SECONDS = 0.4
SETTLED_SECONDS = 10.0
LATER_SECONDS = 1.5
PAUSE_SECONDS = 0.3
STEP_SECONDS = 0.02
NO_CLI_SECONDS = 3.0


@dataclass
class Killer:
    """Kills that many times; some at once after the last, most below a live load."""

    running: Running
    ledger: Ledger
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    at: list[tuple[float, str]] = field(default_factory=list)

    async def run(self, kills: int) -> None:
        """Kill, and see after each that nothing else ended."""
        targets = self._targets()
        while self.killed.total() < kills:
            await self._wait_for_moment()
            target = next(targets)
            agent = self.chance.choice(self.running.stack.agents)
            if target == "cli" and not await self._has_cli(agent):
                continue
            # Noted before: until it is back, a process that was killed is no crash.
            self.at.append((time.monotonic(), target))
            self.killed[target] += 1
            await self.running.kill(
                target, agent, self.chance.uniform(0, PAUSE_SECONDS)
            )

    def _targets(self) -> Iterator[str]:
        while True:
            yield from self.chance.sample(ROUND, len(ROUND))

    async def _wait_for_moment(self) -> None:
        if self.chance.random() < AT_ONCE:
            await self._sleep(self.chance.uniform(0, AT_ONCE_SECONDS))
            return
        since = time.monotonic()
        while not self._succeeded(since) and time.monotonic() < since + SETTLED_SECONDS:
            await self._sleep(STEP_SECONDS)
        await self._sleep(self.chance.uniform(0, LATER_SECONDS))

    async def _sleep(self, seconds: float) -> None:
        self.running.supervise()
        await asyncio.sleep(seconds)

    def _succeeded(self, since: float) -> bool:
        return bool(self.ledger.successes) and self.ledger.successes[-1] > since

    async def _has_cli(self, agent: str) -> bool:
        until = time.monotonic() + NO_CLI_SECONDS
        while not self.running.clis(agent) and time.monotonic() < until:
            await self._sleep(STEP_SECONDS)
        return bool(self.running.clis(agent))

    def recoveries(self) -> dict[str, list[float]]:
        """Return the seconds from each kill to the next successful turn."""
        found: dict[str, list[float]] = {}
        for at, target in self.at:
            later = [one - at for one in self.ledger.successes if one > at]
            if later:
                found.setdefault(target, []).append(min(later))
        return found
