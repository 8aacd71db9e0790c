# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks whose control is killed or stopped in their turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from control.service import ControlProcess

from .processes import SETTINGS, Json, contents, ended, kill, make, until_said

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live


async def test_a_task_whose_control_is_killed_or_stopped_has_its_end(
    running_stack: RunningStack, stores: Json
) -> None:
    """O07, O08: what the agent's side finished alone is the result, said once."""
    settings = {**SETTINGS, **stores}
    async with running_stack(with_spawner=False, drain_seconds=20) as stack:
        with ControlProcess(stack, settings=settings) as control:
            make(control, "killed")
            await until_said(stack, control, "killed")
            await kill(control)
            control.start()
            killed = await ended(control, "killed")
            said = contents(control, killed)

            make(control, "stopped")
            await until_said(stack, control, "stopped")
            status, _seconds = await asyncio.to_thread(control.stop)
            control.start()
            stopped = await ended(control, "stopped")

    for run in (killed, stopped):
        assert (run["status"], run["attempts"], run["error"]) == ("completed", 1, None)
        assert "offline model" in run["result"]
    assert said == [("user", "said"), ("assistant", "recovered")]
    assert status == 0
