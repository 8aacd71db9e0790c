# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""When sweeps run, one at a time, and what is stored of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from agentd.database.sweeps import begin_sweep, list_sweeps
from agentd.errors import SweepBusy
from agentd.sweep.sweeper import running_sweeper

from .swept_world import START, parts_of, world


async def test_one_sweep_runs_at_a_time_and_each_is_stored(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        await one.add(1, issue="1")
        waiting, go = asyncio.Event(), asyncio.Event()

        async def wait(*_given: object) -> object:
            waiting.set()
            await go.wait()
            return "open"

        one.forge.state = wait  # type: ignore[method-assign,assignment]
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(one.sweeper.sweep("interval"))
            await waiting.wait()
            with pytest.raises(SweepBusy):
                await one.sweeper.sweep("request")
            go.set()
        await one.sweeper.sweep("request", dry_run=True)

        async with one.database.read() as connection:
            stored = await list_sweeps(connection, limit=10, offset=0)
        assert [(each.asked_by, each.dry_run) for each in stored] == [
            ("request", True),
            ("interval", False),
        ]
        assert stored[1] == first.result().sweep


async def test_a_sweep_that_was_killed_is_told_as_cut_off(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        begun = partial(
            begin_sweep, host="one", asked_by="interval", dry_run=False, now=START
        )
        await one.database.do(begun)

        await one.sweeper.settle()

        async with one.database.read() as connection:
            (stored,) = await list_sweeps(connection, limit=10, offset=0)
        assert stored.finished_at == START
        assert "cut off" in stored.problems[0]


@pytest.mark.parametrize(("hours", "count"), [(0.00001, 3), (0, 0), (6, 0)])
async def test_the_interval_is_heeded_and_0_is_never(
    tmp_path: Path, hours: float, count: int
) -> None:
    """I01."""
    async with world(tmp_path, interval_hours=hours) as one:
        parts = parts_of(one)
        loop = asyncio.get_running_loop()
        clock = replace(parts.clock, now=lambda: START + loop.time())

        async with running_sweeper(replace(parts, clock=clock)):
            async with asyncio.timeout(10):
                while len(one.agents.given("prune_files")) < count:
                    await asyncio.sleep(0.01)
            if not count:
                await asyncio.sleep(0.3)

        assert bool(one.agents.given("prune_files")) == bool(count)


async def test_the_interval_goes_on_after_a_restart(tmp_path: Path) -> None:
    """I01: who restarts often is swept all the same, and not at each start."""
    async with world(tmp_path, interval_hours=1) as one:
        await one.sweeper.sweep("interval")
        one.agents.calls.clear()

        async with running_sweeper(parts_of(one)):
            await asyncio.sleep(0.2)
        assert one.agents.calls == []

        one.now[0] += 2 * 3600
        task_parts = parts_of(one)
        before = one.now[0]
        clock = replace(task_parts.clock, now=_moves(before))
        async with running_sweeper(replace(task_parts, clock=clock)):
            async with asyncio.timeout(10):
                while not one.agents.given("prune_files"):
                    await asyncio.sleep(0.01)


def _moves(start: float) -> Callable[[], float]:
    times = iter(range(10_000_000))

    def now() -> float:
        return start + 40.0 * next(times)

    return now
