# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A stop in the midst of a turn: whoever waits for it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from .fakes import FakeSpawner
from .running_app import Parts, control


class SilentSpawner(FakeSpawner):
    """An agent that does not tell what is on its disk."""

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        if "uuid" in parameters:
            await asyncio.sleep(timeout_seconds)
        return await super().call(
            agent, name, parameters, timeout_seconds=timeout_seconds
        )


async def test_who_waits_for_a_turn_that_is_cut_off_at_its_proof_is_told(
    tmp_path: Path,
) -> None:
    """E14: a caller is answered at a stop, whatever the agent does."""
    async with control(tmp_path, Parts(spawner=SilentSpawner())) as running:
        request = asyncio.ensure_future(running.say())
        while not running.engine.alive:
            await asyncio.sleep(0.01)
        await running.turns.cancel()
        async with asyncio.timeout(2):
            answer = await request

    assert answer.status_code == 503
    assert "when control is back" in answer.json()["error"]


async def test_who_asks_in_the_moment_of_a_stop_is_told(tmp_path: Path) -> None:
    """E14: also when the turn's task is cancelled before its first step."""
    async with control(tmp_path) as running:
        request = asyncio.ensure_future(running.say())
        while not running.turns.running_count:
            await asyncio.sleep(0)
        await running.turns.cancel()
        async with asyncio.timeout(2):
            answer = await request

    assert answer.status_code == 503
