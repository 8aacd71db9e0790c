# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""POST /reset: an agent begins anew on an issue."""

from __future__ import annotations

from fastapi import APIRouter

from agentd.api.errors import refusals
from agentd.api.place_bodies import DroppedBody, ResetAnswer, ResetBody
from agentd.api.state import ServiceDep

router = APIRouter(tags=["sessions"])


@router.post("/reset", responses=refusals(400, 401, 404, 409, 413, 503))
async def reset(body: ResetBody, service: ServiceDep) -> ResetAnswer:
    """Remove an agent's work directory of an issue, and forget its session.

    What is not committed is saved first; messages and the transcript stay. Where
    nothing is there, nothing is dropped.
    """
    service.settings.agent(body.agent)
    dropped = await service.work.reset(body.agent, body.repo, body.issue)
    return ResetAnswer(
        dropped=DroppedBody(worktree=dropped.worktree, session=dropped.session)
    )
