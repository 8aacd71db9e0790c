# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sweeps with the parts that control has."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from agentd.sweep.parts import SweepParts
from agentd.sweep.questions import IssueStates
from agentd.sweep.sweeper import Sweeper, running_sweeper
from agentd.work.work import Work, WorkParts
from agentd.work_settings import SweepSettings


def running_sweeps(
    settings: SweepSettings, parts: WorkParts, work: Work, states: IssueStates | None
) -> AbstractAsyncContextManager[Sweeper]:
    """Give the sweeper, which sweeps meanwhile; no archive can be declared yet."""
    return running_sweeper(
        SweepParts(
            settings=settings,
            database=parts.database,
            spawner=parts.spawner,
            host=parts.host,
            clock=parts.clock,
            cleaning=work,
            sessions=parts.resting,
            worktrees=parts.workdirs,
            states=states,
        )
    )
