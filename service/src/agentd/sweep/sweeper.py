# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sweeps at an interval and on request: one after another, each of them stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentd.database.sweeps import (
    begin_sweep,
    end_cut_off,
    end_sweep,
    get_sweep,
    last_started,
)
from agentd.errors import AgentdError, SweepBusy
from agentd.log import get_log
from agentd.sweep.files_step import FilesStep
from agentd.sweep.parts import SweepParts
from agentd.sweep.values import AskedBy, Swept, Tally
from agentd.sweep.work_step import WorkStep

HOUR_SECONDS = 3600.0
# Turns that a start has to look after come first.
FIRST_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 60.0
RETRY_SECONDS = 60.0
BUSY = "Cannot begin a sweep: one runs already. Wait until it ends; GET /sweeps tells."

log = get_log("sweep")


class Sweeper:
    """Runs one sweep at a time over this host's agents."""

    def __init__(self, parts: SweepParts) -> None:
        self._parts = parts
        self._running = False

    async def run(self) -> None:
        """Sweep at the interval until cancelled; 0 is never (I01)."""
        interval = self._parts.settings.interval_hours * HOUR_SECONDS
        if not interval:
            return
        due = self._parts.clock.now() + min(FIRST_SECONDS, interval)
        while True:
            try:
                due = max(due, await self._last() + interval)
                await self._sleep_until(due)
                await self.sweep("interval")
            except AgentdError as error:
                log.warning("sweep_failed", error=str(error))
                await asyncio.sleep(min(RETRY_SECONDS, interval))

    async def sweep(self, asked_by: AskedBy, *, dry_run: bool = False) -> Swept:
        """Sweep now, and return what went; raise SweepBusy or DatabaseFailed."""
        if self._running:
            raise SweepBusy(BUSY)
        self._running = True
        try:
            return await self._sweep(asked_by, dry_run)
        finally:
            self._running = False

    async def _sweep(self, asked_by: AskedBy, dry_run: bool) -> Swept:
        database, host, clock = (
            self._parts.database,
            self._parts.host.name,
            self._parts.clock,
        )
        began = clock.now()
        number = await database.do(
            lambda connection: begin_sweep(
                connection, host, asked_by, dry_run=dry_run, now=began
            )
        )
        tally = Tally(dry_run)
        await self._steps(tally, asked_by)
        counts, problems = tally.counts.for_output(), tuple(tally.problems)
        ended = clock.now()
        await database.do(
            lambda connection: end_sweep(connection, number, counts, problems, ended)
        )
        say = log.warning if problems else log.info
        say("swept", dry_run=dry_run, asked_by=asked_by, **counts)
        async with database.read() as connection:
            stored = await get_sweep(connection, number)
        return Swept(stored, tuple(tally.candidates), tally.more_candidates)

    async def _steps(self, tally: Tally, asked_by: AskedBy) -> None:
        try:
            await WorkStep(self._parts, tally).run()
        except AgentdError as error:
            tally.skip(error)
        # Beside each other: no agent's side keeps the others waiting.
        agents = sorted(self._parts.spawner.states())
        found = [Tally(tally.dry_run) for _agent in agents]
        async with asyncio.TaskGroup() as tasks:
            for agent, mine in zip(agents, found, strict=True):
                step = FilesStep(self._parts, mine, agent, asked_by)
                tasks.create_task(step.run())
        for mine in found:
            tally.add(mine)

    async def _sleep_until(self, due: float) -> None:
        # In pieces: the clock may be set meanwhile.
        while True:
            left = due - self._parts.clock.now()
            if left <= 0:
                return
            await asyncio.sleep(min(left, LONGEST_PAUSE_SECONDS))

    async def _last(self) -> float:
        async with self._parts.database.read() as connection:
            found = await last_started(connection, self._parts.host.name)
        return found or 0.0

    async def settle(self) -> None:
        """Store that what this host swept when it was killed was cut off."""
        host, now = self._parts.host.name, self._parts.clock.now()
        await self._parts.database.do(lambda c: end_cut_off(c, host, now))


@asynccontextmanager
async def running_sweeper(parts: SweepParts) -> AsyncIterator[Sweeper]:
    """Give the sweeper, which sweeps at its interval meanwhile."""
    sweeper = Sweeper(parts)
    await sweeper.settle()
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(sweeper.run(), name="sweeper")
        try:
            yield sweeper
        finally:
            work.cancel()
