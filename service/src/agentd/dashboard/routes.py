# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Everything below /dashboard."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from agentd.dashboard import (
    actions,
    entrance,
    history,
    lists,
    live,
    overview,
    worktrees,
)
from agentd.dashboard.routing import pages
from agentd.dashboard.sign_in import PATH

rest = pages()


@rest.get("/{path:path}")
async def nothing(path: str) -> RedirectResponse:
    """Tell who asks for another page that there is none."""
    if not path:
        return RedirectResponse(PATH, 307)
    raise HTTPException(404, f'There is no page "{path[:64]}".')


router = APIRouter()
for part in (entrance, overview, worktrees, lists, history, actions, live):
    router.include_router(part.router, include_in_schema=False)
# The last one: it takes every path.
router.include_router(rest, include_in_schema=False)
