# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What every agent takes: asked of its side, kept over time, held to its limit."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from agentd.clock import Clock
from agentd.database.open import Database
from agentd.database.usage import (
    add_samples,
    remove_samples,
    remove_samples_before,
    sample_times,
)
from agentd.errors import AgentdError, UsageExceeded
from agentd.log import get_log
from agentd.samples.own import own_usage
from agentd.samples.reading import read_usage
from agentd.samples.thinning import DAY, HOUR, STEPS, surplus
from agentd.samples.values import DEPLOYMENT, Level, Usage, level_of, sentence
from agentd.settings import ControlSettings
from agentd.spawner.protocol import Spawner

CALL_SECONDS = 75.0
# Agents dial a while after control's start.
FIRST_SECONDS = 20.0
UNSAMPLED_SECONDS = 600.0
# What was too much is looked at again before the next turn is refused.
LOOK_AGAIN_SECONDS = 10.0
LOOK_SECONDS = 8.0
REMOVED_AT_ONCE = 500
BREATH_SECONDS = 0.05

log = get_log("usage")


@dataclass(frozen=True)
class UsageParts:
    """What usage is watched with."""

    settings: ControlSettings
    database: Database
    spawner: Spawner
    clock: Clock
    host: str


class UsageWatch:
    """Knows what each agent took last; the deployment itself has the empty name."""

    def __init__(self, parts: UsageParts) -> None:
        self._parts = parts
        self._limits = parts.settings.usage
        self._names = [entry.name for entry in parts.settings.agents]
        self._known: dict[str, Usage] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._levels: dict[str, Level] = {}
        self._thinned_at = float("-inf")

    def known(self) -> Mapping[str, Usage]:
        """Return what each was seen to take last, by name."""
        return dict(self._known)

    def level(self, agent: str) -> Level:
        """Return how an agent stands to its limits, as it was seen last."""
        return level_of(self._known.get(agent), self._limits)

    def problems(self) -> list[str]:
        """Return which agents take too much, in sentences."""
        told = (self.problem_of(name) for name in self._names)
        return [one for one in told if one is not None]

    def problem_of(self, agent: str) -> str | None:
        """Return what is wrong with what an agent takes, or None."""
        known = self._known.get(agent)
        return None if known is None else sentence(agent, known, self._limits)

    async def look(self, max_age_seconds: float, seconds: float) -> Mapping[str, str]:
        """Have what is older counted anew; return why that failed, by name."""
        failed: dict[str, str] = {}
        async with asyncio.TaskGroup() as tasks:
            for name in (DEPLOYMENT, *self._names):
                tasks.create_task(self._look(name, max_age_seconds, seconds, failed))
        return failed

    async def admit(self, agent: str) -> None:
        """Raise UsageExceeded if an agent takes more than it may.

        One that cannot be asked is judged by what is known of it.
        """
        if self._limits.limit_bytes is None:
            return
        known = self._known.get(agent)
        if known is None or self.level(agent) == "exceeded":
            await self._look(agent, LOOK_AGAIN_SECONDS, LOOK_SECONDS, {})
        known = self._known.get(agent)
        if known is not None and self.level(agent) == "exceeded":
            raise UsageExceeded(
                f"Cannot begin a turn: {sentence(agent, known, self._limits)} Make "
                "room (docs/usage.md), or raise usage.limit_bytes."
            )

    async def run(self) -> None:
        """Count again and again, until cancelled."""
        every = self._limits.sample_minutes * 60
        if not every and self._limits.limit_bytes is self._limits.warn_bytes is None:
            return
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await self.sample()
            await asyncio.sleep(every or UNSAMPLED_SECONDS)

    async def sample(self) -> None:
        """Count what all take and keep it, unless no samples are to be taken."""
        now = self._parts.clock.now()
        for name, reason in (await self.look(0.0, CALL_SECONDS)).items():
            log.warning("usage_not_counted", agent=name, reason=reason)
        if not self._limits.sample_minutes:
            return
        fresh = {name: one for name, one in self._known.items() if one.at >= now}
        rows = [
            (now, self._parts.host, name, area, amount.bytes, amount.files)
            for name, one in fresh.items()
            for area, amount in one.areas.items()
        ]
        try:
            await self._parts.database.do(lambda c: add_samples(c, rows), synced=False)
            if now - self._thinned_at >= HOUR:
                await self._thin(now)
                self._thinned_at = now
        except AgentdError as error:
            log.warning("usage_not_kept", error=str(error))

    async def _thin(self, now: float) -> None:
        database, host = self._parts.database, self._parts.host
        days = self._limits.sample_days
        before = now - STEPS[0][0]
        async with database.read() as connection:
            times = await connection.run_sync(lambda c: sample_times(c, host, before))
        gone = surplus(times, now, days)
        for first in range(0, len(gone), REMOVED_AT_ONCE):
            some = gone[first : first + REMOVED_AT_ONCE]
            await database.do(
                lambda c, some=some: remove_samples(c, host, some),  # type: ignore[misc]
                synced=False,
            )
            # Turns come first: the database is theirs in between.
            await asyncio.sleep(BREATH_SECONDS)
        oldest = now - days * DAY
        await database.do(lambda c: remove_samples_before(c, oldest), synced=False)

    async def _look(
        self, name: str, max_age: float, seconds: float, failed: dict[str, str]
    ) -> None:
        """Count what one takes; an agent that is not connected takes what it took."""
        asked = self._parts.clock.now()
        if name != DEPLOYMENT and not self._parts.spawner.states()[name].connected:
            return
        try:
            async with asyncio.timeout(seconds), self._locks[name]:
                known = self._known.get(name)
                if known is not None and known.at >= asked - max_age:
                    return
                self._note(name, await self._count(name, seconds))
        except AgentdError as error:
            failed[name] = str(error)
        except TimeoutError:
            failed[name] = f"It was not counted within {seconds:g} s."

    async def _count(self, name: str, seconds: float) -> Usage:
        now = self._parts.clock.now()
        if name == DEPLOYMENT:
            return await own_usage(self._parts.settings, self._parts.database, now)
        answer = await self._parts.spawner.call(
            name, "measure_usage", {}, timeout_seconds=seconds
        )
        return read_usage(answer, now)

    def _note(self, name: str, usage: Usage) -> None:
        self._known[name] = usage
        if name == DEPLOYMENT:
            return
        level, before = level_of(usage, self._limits), self._levels.get(name, "ok")
        self._levels[name] = level
        if level != before:
            tell = log.info if level == "ok" else log.warning
            tell("usage_changed", agent=name, standing=level, bytes=usage.total.bytes)
