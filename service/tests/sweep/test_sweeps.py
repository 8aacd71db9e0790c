# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whole sweeps over agents and forges in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agentd.errors import (
    AgentdError,
    AgentUnavailable,
    GatewayUnavailable,
    WorkRefused,
)
from agentd.sweep.sweeper import Sweeper
from agentd.sweep.values import Candidate

from .old_files import DAY, session
from .swept_world import START, World, parts_of, world

AWAY = GatewayUnavailable("The forge is away.")


async def filled(one: World) -> None:
    """Have one of everything: closed, open, old, orphans, transcripts."""
    await one.add(1, issue="1", branch="one")
    await one.add(2, issue="2", branch="two")
    await one.add(3, issue="3", branch="three", days=31)
    await one.add(4, issue="4", branch="four", session=False)
    await one.add(5, issue="5", branch="five", session=False)
    await one.add(6, issue="words", repository="my own words", days=31)
    for branch in ("one", "two", "four", "five"):
        one.put_tree(branch)
    one.put_tree("nobody-s", days=31)
    one.agents.transcripts = {
        session(2): START - 99 * DAY,
        session(77): START - 31 * DAY,
        session(78): START - 29 * DAY,
    }
    one.forge.states = {"1": "closed", "2": "open", "4": "closed"}


async def test_a_sweep_removes_what_is_closed_old_or_nobody_s(tmp_path: Path) -> None:
    """I02, I03, I04, I07, I09, I10, H06: all at once, with their counts."""
    async with world(tmp_path) as one:
        await filled(one)

        swept = await one.sweeper.sweep("request")

        assert [wish.issue for wish in one.work.cleaned] == ["1"]
        assert one.work.dropped == ["3", "conv-6"]
        branches = [tree["branch"] for tree in one.agents.trees]
        assert branches == ["one", "two", "five"]
        # I09: what the live store has stays, however old its file is.
        assert sorted(one.agents.transcripts) == [session(2), session(78)]
        assert sorted(one.forge.asked) == ["1", "2", "4", "5"]
        assert swept.sweep.counts == {
            "sessions": 3,
            "trees": 4,
            "clones": 0,
            "recovered": 1,
            "transcripts": 1,
            "files": 2,
            "bytes": 15,
            "skipped": 0,
            "questions": 4,
        }
        assert swept.sweep.problems == ()


async def test_a_dry_run_lists_the_same_and_removes_nothing(tmp_path: Path) -> None:
    """I08."""
    async with world(tmp_path) as one:
        await filled(one)

        dry = await one.sweeper.sweep("request", dry_run=True)

        assert (one.work.cleaned, one.work.dropped) == ([], [])
        assert len(one.agents.trees) == 5
        assert len(one.agents.transcripts) == 3
        flags = [
            given["dry_run"]
            for _agent, _name, given in one.agents.calls
            if "dry_run" in given
        ]
        assert flags == [True, True, True]
        assert one.archive.kept == []
        real = await one.sweeper.sweep("request")
        assert dry.candidates == real.candidates
        assert dry.sweep.counts["sessions"] == real.sweep.counts["sessions"]


async def test_questions_come_one_after_another_with_a_pause(tmp_path: Path) -> None:
    """I05."""
    async with world(tmp_path, question_seconds=0.25) as one:
        await filled(one)

        await one.sweeper.sweep("request")

        assert one.slept == [0.25] * len(one.forge.asked)


async def test_a_forge_that_is_away_has_nothing_removed(tmp_path: Path) -> None:
    """I06: nor is it asked about each of its issues; what is too old goes."""
    async with world(tmp_path) as one:
        for number in range(1, 9):
            await one.add(number, issue=str(number))
            one.forge.states[str(number)] = AWAY
        await one.add(9, issue="9", days=31)

        swept = await one.sweeper.sweep("interval")

        assert one.work.cleaned == []
        assert one.work.dropped == ["conv-9"]
        assert len(one.forge.asked) == 3
        assert swept.sweep.counts["skipped"] == 8
        assert swept.sweep.counts["sessions"] == 1
        assert "3 times in a row" in swept.sweep.problems[-1]


@pytest.mark.parametrize(
    ("prefix", "error"), [("words ", WorkRefused("No issue.")), ("SHOP-", AWAY)]
)
async def test_what_another_could_not_be_asked_about_keeps_no_forge_from_being_asked(
    tmp_path: Path, prefix: str, error: AgentdError
) -> None:
    """I06: neither words that are no issue nor a tracker that is away."""
    async with world(tmp_path) as one:
        for number in range(1, 6):
            await one.add(number, issue=f"{prefix}{number}", days=2)
            one.forge.states[f"{prefix}{number}"] = error
        await one.add(7, issue="7")
        one.forge.states["7"] = "closed"

        swept = await one.sweeper.sweep("interval")

        assert [wish.issue for wish in one.work.cleaned] == ["7"]
        assert swept.sweep.counts["skipped"] == 5


async def test_an_error_with_one_entry_keeps_no_other(tmp_path: Path) -> None:
    """I06."""
    async with world(tmp_path) as one:
        await filled(one)
        one.forge.states["2"] = AWAY
        one.work.busy |= {"3", "nobody-s", "1"}
        one.agents.used = {session(77)}
        one.agents.failing["sweep_recovered"] = AgentUnavailable("It went away.")

        swept = await one.sweeper.sweep("interval")

        assert [wish.issue for wish in one.work.cleaned] == ["1"]
        assert one.work.dropped == ["conv-6"]
        assert swept.sweep.counts["skipped"] == 6
        assert swept.sweep.counts["files"] == 2
        assert len(swept.sweep.problems) == 6


async def test_an_agent_that_is_not_connected_is_skipped(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        one.agents.connected = {"away": False, "main": True}
        one.agents.transcripts = {session(1): START - 99 * DAY}

        swept = await one.sweeper.sweep("interval")

        assert swept.sweep.counts["transcripts"] == 1
        assert swept.sweep.counts["skipped"] == 1
        assert 'Agent "away" is not connected' in swept.sweep.problems[0]


async def test_a_session_that_is_used_during_the_sweep_stays(tmp_path: Path) -> None:
    """I12."""
    async with world(tmp_path) as one:
        await one.add(1, issue="1", days=31, branch="one")
        await one.add(2, issue="2", days=31)
        one.work.busy.add("1")

        async def used(candidate: object) -> None:
            one.now[0] = START - 2 * DAY

        one.archive.keep = used  # type: ignore[method-assign]
        swept = await one.sweeper.sweep("interval")

        assert one.work.dropped == []
        assert swept.sweep.counts["sessions"] == 0


async def test_a_worktree_stays_as_long_as_another_session_is_in_it(
    tmp_path: Path,
) -> None:
    """I03: the session that is too old goes alone."""
    async with world(tmp_path) as one:
        await one.add(1, issue="1", branch="shared", days=31)
        await one.add(2, issue=None, branch="shared", days=32)
        await one.add(3, issue="3", branch="shared")
        one.put_tree("shared")

        dry = await one.sweeper.sweep("request", dry_run=True)
        swept = await one.sweeper.sweep("interval")

        assert sorted(one.work.dropped) == ["conv-1", "conv-2"]
        assert len(one.agents.trees) == 1
        assert dry.sweep.counts["trees"] == swept.sweep.counts["trees"] == 0


async def test_a_worktree_that_somebody_enters_during_the_sweep_stays(
    tmp_path: Path,
) -> None:
    """I04, I12: removing what others left may take long."""
    async with world(tmp_path) as one:
        one.put_tree("agentkeep/issue-1")
        one.put_tree("old", days=31)
        one.forge.states["1"] = "closed"
        branches = {"agentkeep/issue-1", "old"}

        async def entered(candidate: Candidate) -> None:
            if candidate.branch in branches:
                branches.discard(candidate.branch)
                await one.add(len(branches), issue=None, branch=candidate.branch)

        one.archive.keep = entered  # type: ignore[method-assign]
        swept = await one.sweeper.sweep("interval")

        assert branches == set()
        assert len(one.agents.trees) == 2
        assert swept.sweep.counts["trees"] == 0


async def test_what_cannot_be_archived_stays(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        await filled(one)
        one.archive.refuses = True

        swept = await one.sweeper.sweep("interval")

        assert (one.work.cleaned, one.work.dropped) == ([], [])
        assert len(one.agents.trees) == 5
        assert len(one.agents.transcripts) == 3
        assert "The backup repository is away." in swept.sweep.problems


async def test_beside_a_damaged_database_transcripts_stay(tmp_path: Path) -> None:
    """What an empty database does not know of may be in the one that was set aside."""
    async with world(tmp_path) as one:
        one.agents.transcripts = {session(1): START - 99 * DAY}
        (tmp_path / "agentd.db.damaged-1").touch()
        assert one.database.set_aside()

        swept = await one.sweeper.sweep("interval")

        assert list(one.agents.transcripts) == [session(1)]
        assert "damaged" in swept.sweep.problems[0]
        assert swept.sweep.counts["files"] == 2


async def test_without_a_forge_only_age_counts(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        await filled(one)
        sweeper = Sweeper(replace(parts_of(one), states=None, archive=None))

        swept = await sweeper.sweep("interval")

        assert one.work.cleaned == []
        assert swept.sweep.counts["questions"] == 0
        assert swept.sweep.counts["sessions"] == 2


async def test_every_time_is_the_one_that_is_set(tmp_path: Path) -> None:
    """I09, I10: no setting is read and then forgotten."""
    ages = {
        "transcript_ttl_days": 1,
        "debug_ttl_days": 2,
        "todos_ttl_days": 4,
        "telemetry_ttl_days": 5,
        "logs_ttl_days": 6,
        "recovery_hours": 12,
    }
    async with world(tmp_path, **ages) as one:
        await one.sweeper.sweep("interval")

        (old,) = one.agents.given("list_old_transcripts")
        (files,) = one.agents.given("prune_files")
        (recovered,) = one.agents.given("sweep_recovered")
        assert old["older_than_seconds"] == DAY
        assert recovered["older_than_seconds"] == DAY / 2
        assert files["older_than_seconds"] == {
            "debug": 2 * DAY,
            "todos": 4 * DAY,
            "telemetry": 5 * DAY,
            "logs": 6 * DAY,
        }
