# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The parts of sweeps, out of those that control has."""

from __future__ import annotations

from agentd.conversations.parts import TurnParts
from agentd.conversations.resting import Resting
from agentd.sweep.parts import SweepParts
from agentd.sweep.questions import IssueStates
from agentd.work.work import Work
from agentd.work_settings import SweepSettings


def sweep_parts(
    settings: SweepSettings,
    parts: TurnParts,
    resting: Resting,
    work: Work,
    states: IssueStates | None,
) -> SweepParts:
    """Return what a sweep works with; no archive can be declared yet."""
    return SweepParts(
        settings=settings,
        database=parts.database,
        spawner=parts.spawner,
        host=parts.host,
        clock=parts.clock,
        cleaning=work,
        sessions=resting,
        worktrees=parts.workdirs,
        states=states,
    )
