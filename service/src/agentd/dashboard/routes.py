# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Everything below /dashboard."""

from __future__ import annotations

from fastapi import APIRouter

from agentd.dashboard import (
    actions,
    entrance,
    history,
    lists,
    live,
    overview,
    worktrees,
)

router = APIRouter()
for part in (entrance, overview, worktrees, lists, history, actions, live):
    router.include_router(part.router, include_in_schema=False)
