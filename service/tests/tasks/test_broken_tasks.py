# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks of which the turn is lost with control, and tasks due meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from control.service import ControlProcess
from kills.running import Running

from .processes import SETTINGS, Json, contents, ended, kill, make, runs, until_said

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live


async def test_a_task_that_nobody_finished_runs_again_and_a_missed_one_once(
    running_stack: RunningStack, stores: Json
) -> None:
    """O07, J11: never left running; due while control was down is one run."""
    settings = {**SETTINGS, **stores}
    async with running_stack(with_spawner=False, drain_seconds=20) as stack:
        with ControlProcess(stack, settings=settings) as control:
            make(control, "broken")
            await until_said(stack, control, "broken")
            make(control, "missed", 0.5)
            await kill(control)
            # Control and the agent's side went away at once, as in a power cut.
            await Running(stack, control).kill("agent", "main", 0.5)
            control.start()
            broken = await ended(control, "broken")
            missed = await ended(control, "missed")
            said = contents(control, broken)
            await asyncio.sleep(0.5)
            after = [len(runs(control, one)) for one in ("broken", "missed")]

    assert (broken["status"], broken["attempts"]) == ("completed", 2)
    assert said == [
        ("user", "said"),
        ("assistant", "error"),
        ("user", "said"),
        ("assistant", "success"),
    ]
    assert (missed["status"], missed["attempts"]) == ("completed", 1)
    assert after == [1, 1]
