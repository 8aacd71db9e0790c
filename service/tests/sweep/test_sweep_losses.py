# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A database that was lost: what it does not know of any more is not removed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from agentd.database.tables import conversations

from .old_files import DAY, session
from .swept_world import START, World, world


async def made_anew(one: World, days: float) -> None:
    """Have the database tell of nothing older than that."""
    young = update(conversations).values(created_at=START - days * DAY)
    await one.database.do(lambda connection: connection.execute(young))
    one.agents.transcripts = {session(1): START - 99 * DAY}


async def test_a_new_database_takes_no_old_transcript_for_nobody_s(
    tmp_path: Path,
) -> None:
    """I09: the one that was lost may have known whose they were."""
    async with world(tmp_path) as one:
        await made_anew(one, days=29)

        swept = await one.sweeper.sweep("interval")
        left = list(one.agents.transcripts)
        asked = await one.sweeper.sweep("request")

        assert left == [session(1)]
        assert swept.sweep.counts["skipped"] == 1
        assert "Restore the one that was lost" in swept.sweep.problems[0]
        assert asked.sweep.counts["transcripts"] == 1


async def test_a_database_that_is_older_than_the_limit_is_relied_on(
    tmp_path: Path,
) -> None:
    """I09: so that what nobody misses goes in the end."""
    async with world(tmp_path) as one:
        await made_anew(one, days=31)

        swept = await one.sweeper.sweep("interval")

        assert swept.sweep.counts["transcripts"] == 1
        assert one.agents.transcripts == {}


async def test_a_database_that_was_restored_takes_no_session_for_an_old_one(
    tmp_path: Path,
) -> None:
    """I03: its worktree tells of turns that the backup knew nothing of."""
    async with world(tmp_path) as one:
        await one.add(1, issue="1", branch="one", days=40)
        await one.add(2, issue="2", branch="one", days=45)
        await one.add(3, issue="3", branch="three", days=40)
        one.put_tree("one", days=1)
        one.put_tree("three", days=39)

        await one.sweeper.sweep("request")

        assert sorted(one.work.dropped) == ["3", "conv-2"]
        assert "one" in {tree["branch"] for tree in one.agents.trees}
