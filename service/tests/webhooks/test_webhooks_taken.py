# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Webhooks over HTTP: what they give agents to do, and that it is given once."""

from __future__ import annotations

from pathlib import Path

from forge.deliveries import delivery, signed

from .hooked import hooked

ISSUE = "issue_comment.created"


def another(said: str, number: int = 7) -> object:
    """Return what a forge tells of one more comment."""
    payload = delivery("forgejo", ISSUE, number=number).payload
    payload["comment"]["body"] = f"@agent {said}"
    return payload


async def test_a_comment_that_mentions_the_agent_gives_it_work_in_its_worktree(
    tmp_path: Path,
) -> None:
    async with hooked(tmp_path) as hooks:
        taken = await hooks.take(delivery("forgejo", ISSUE))
        task = await hooks.ended(taken["task_id"])
        told = await hooks.listed()
        engine = hooks.control.engine

    assert (taken["outcome"], taken["repeated"]) == ("dispatched", False)
    assert (task["status"], task["agent"]) == ("completed", "main")
    assert "@agent please look at this" in engine.said[0]
    assert ("main", "agentkeep/issue-7") in hooks.spawner.trees
    assert [(one["repository"], one["issue"], one["task_id"]) for one in told] == [
        ("team/shop", "7", taken["task_id"])
    ]


async def test_the_session_of_the_issue_is_resumed_with_the_short_prompt(
    tmp_path: Path,
) -> None:
    async with hooked(tmp_path) as hooks:
        first = await hooks.take(delivery("forgejo", ISSUE))
        await hooks.ended(first["task_id"])
        second = await hooks.take(signed("forgejo", "issue_comment", another("more")))
        await hooks.ended(second["task_id"])
        other = another("elsewhere", number=8)
        third = await hooks.take(signed("forgejo", "issue_comment", other))
        await hooks.ended(third["task_id"])
        engine = hooks.control.engine

    full, short, fresh = engine.said
    assert "You were asked to work on issue 7" in full
    assert "There is news about issue 7" in short and "@agent more" in short
    assert "You were asked to work on issue 8" in fresh
    sessions = [one.session_id for one in engine.wishes]
    assert sessions[0] == sessions[1] != sessions[2]
