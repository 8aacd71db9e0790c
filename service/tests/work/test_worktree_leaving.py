# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a turn held whose end was found later is given back, whatever fails then."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from agentd.conversations.worktree import leave_after
from agentd.errors import DatabaseFailed
from agentd.sessions.identity import SessionKey

from .worktrees import ON_BRANCH, WEB, working

PLACE = ("main", WEB, "fix/cart")


async def test_a_database_that_fails_leaves_no_worktree_held_for_ever(
    tmp_path: Path,
) -> None:
    """H08: whoever gives it back is told, and tries again."""
    async with working(tmp_path) as running:
        answer = await running.say(**ON_BRANCH)
        key = SessionKey("main", answer["conversation_id"])
        running.spawner.held[PLACE] = key.conversation_id
        service = running.control.service
        parts, database = service.turns._parts, service.database
        away = text("ALTER TABLE conversations RENAME TO away")
        back = text("ALTER TABLE away RENAME TO conversations")
        await database.do(lambda connection: connection.execute(away))
        with pytest.raises(DatabaseFailed):
            await leave_after(parts, key)
        await database.do(lambda connection: connection.execute(back))
        held = dict(running.spawner.held)
        await leave_after(parts, key)

    assert held == {PLACE: key.conversation_id}
    assert running.spawner.held == {}
