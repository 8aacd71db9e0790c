# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Agents whose answers lie: what they tell of their disks is bounded and checked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agentd.spawner.protocol import AgentState
from agentd.sweep.agent_side import MAX_PAGES, AgentSide
from agentd.sweep.values import MAX_CANDIDATES

from .old_files import DAY, session
from .swept_world import START, FakeAgents, world

LIES: tuple[object, ...] = (
    None,
    5,
    "x",
    [],
    [[]],
    [{}],
    [{"session_id": 5, "modified_at": "x", "branch": [], "repository": {}}],
    [{"session_id": "../../etc", "modified_at": 1.0, "bytes": 1}],
    [{"session_id": session(1), "modified_at": float("nan"), "bytes": 10**400}],
    [{"session_id": session(1), "modified_at": 10**400, "bytes": True}],
    [{"repository": "forge:../..", "branch": "main", "used_at": 1.0}],
    [{"repository": "forge:a/b", "branch": "--upload-pack=x", "used_at": 1.0}],
    {"x": "y"},
)
CALLS = (
    ("list_workdirs", "trees"),
    ("list_old_transcripts", "sessions"),
    ("remove_transcripts", "removed"),
    ("sweep_recovered", "branches"),
    ("prune_files", "areas"),
)


@pytest.mark.parametrize(("call", "key"), CALLS)
async def test_an_answer_that_is_none_removes_nothing_and_breaks_nothing(
    tmp_path: Path, call: str, key: str
) -> None:
    async with world(tmp_path) as one:
        one.agents.transcripts = {session(9): START - 99 * DAY}
        for lie in LIES:
            one.agents.answers = {call: {key: lie, "more": "yes", "next": [5]}}

            swept = await one.sweeper.sweep("interval")

            assert swept.sweep.counts["sessions"] == 0
            assert one.work.cleaned == []
            sent = one.agents.given("remove_transcripts")
            one.agents.transcripts = {session(9): START - 99 * DAY}
            names = [each["session_id"] for given in sent for each in _list(given)]
            assert set(names) <= {session(9), session(1)}


def _list(given: object) -> list[dict[str, object]]:
    assert isinstance(given, dict)
    sessions = given["sessions"]
    assert isinstance(sessions, list)
    return sessions


async def test_figures_that_no_disk_has_are_bounded(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        huge = {"files": 10**30, "bytes": -5, "failed": True}
        one.agents.answers = {"prune_files": {"areas": {"debug": huge, "x": huge}}}

        swept = await one.sweeper.sweep("interval")

        assert swept.sweep.counts["files"] == 1 << 53
        assert swept.sweep.counts["bytes"] == 0


class Endless(FakeAgents):
    """Agents that always have one page more."""

    pages = 0

    async def call(self, *given: object, **more: object) -> dict[str, object]:
        """Tell of something new at each page."""
        self.pages += 1
        name = f"forge/{self.pages:09}"
        tree = {"name": name, "repository": "forge:a/b", "branch": name}
        following = session(self.pages)
        return {
            "trees": [{**tree, "used_at": 1.0, "held": False}],
            "sessions": [{"session_id": following, "modified_at": 1.0, "bytes": 1}],
            "more": True,
            "next": following,
        }

    def states(self) -> dict[str, AgentState]:
        """Return one that is connected."""
        return {"main": AgentState(name="main", connected=True, since=None)}


async def test_a_list_without_an_end_ends() -> None:
    agents = Endless()
    side = AgentSide(agents, "main")  # type: ignore[arg-type]

    trees = await side.trees()
    pages = [page async for page in side.old_transcripts(DAY)]

    assert len(trees) == len(pages) == MAX_PAGES


async def test_a_list_that_goes_in_a_circle_ends(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        tree = {"name": "a", "repository": "forge:a/b", "branch": "x", "used_at": 1.0}
        old = {"session_id": session(1), "modified_at": 1.0}
        one.agents.answers = {
            "list_workdirs": {"trees": [tree], "more": True},
            "list_old_transcripts": {
                "sessions": [old],
                "more": True,
                "next": session(1),
            },
            "remove_transcripts": {"removed": [session(1), session(2), 5]},
        }

        async with asyncio.timeout(20):
            swept = await one.sweeper.sweep("interval")

        # Only what was asked for counts as removed.
        assert swept.sweep.counts["transcripts"] == 2
        assert len(one.agents.given("list_workdirs")) == 4


async def test_no_more_is_told_than_there_is_room_for(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for number in range(MAX_CANDIDATES + 50):
            one.put_tree(f"branch-{number}", days=40)

        swept = await one.sweeper.sweep("interval", dry_run=True)

        assert len(swept.candidates) == MAX_CANDIDATES
        assert swept.more_candidates
        assert swept.sweep.counts["trees"] == MAX_CANDIDATES + 50
