# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What closes is cleaned up for every agent; what reopens is left alone (H09)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from forge.deliveries import delivery, signed

from agentd.database.webhooks import put_event

from .hooked import BEARER, NOTED, Hooked, hooked

ISSUE = "issue_comment.created"
TREE = "agentkeep/issue-7"


async def begun(hooks: Hooked) -> None:
    """Have two agents work on issue 7, and one on issue 8."""
    await hooks.settle(rules=[{"labels": ["second"], "agent": "second"}, {}])
    for number, labels in ((7, []), (7, [{"name": "second"}]), (8, [])):
        payload = delivery("forgejo", ISSUE, number=number).payload
        payload["issue"]["labels"] = labels
        taken = await hooks.take(signed("forgejo", "issue_comment", payload))
        await hooks.ended(taken["task_id"])


async def noted(hooks: Hooked) -> None:
    """Have it stored now that issue 7 was closed, and nothing done about it yet."""
    database = hooks.control.service.database
    closed = replace(NOTED, received_at=hooks.control.service.clock.now())
    await database.do(lambda c: put_event(c, "0" * 64, closed))


async def sessions(hooks: Hooked) -> list[tuple[str, str]]:
    answer = await hooks.control.client.get("/sessions", headers=BEARER)
    found = answer.json()["sessions"]
    return sorted((one["agent"], one["issue"]) for one in found)


async def test_a_closed_issue_loses_sessions_and_worktrees_of_every_agent(
    tmp_path: Path,
) -> None:
    closed = delivery("forgejo", "issues.closed")
    async with hooked(tmp_path) as hooks:
        await begun(hooks)
        before = await sessions(hooks)
        first = await hooks.take(closed)
        await hooks.cleaned()
        after, removed = await sessions(hooks), sorted(hooks.spawner.removed)
        again = await hooks.take(closed)
        await hooks.cleaned()
        told = (await hooks.listed())[0]
        unchanged = sorted(hooks.spawner.removed)

    assert before == [("main", "7"), ("main", "8"), ("second", "7")]
    assert after == [("main", "8")]
    assert removed == [("main", TREE), ("second", TREE)] == unchanged
    assert (first["outcome"], first["repeated"]) == ("cleaning", False)
    assert (again["outcome"], again["repeated"]) == ("cleaned", True)
    assert "2 worktrees, 2 sessions" in (told["detail"] or "")


@pytest.mark.parametrize(
    "name", ["pull_request.closed", "pull_request.closed and merged"]
)
async def test_a_closed_pull_request_loses_the_worktree_of_its_branch(
    tmp_path: Path, name: str
) -> None:
    async with hooked(tmp_path) as hooks:
        taken = await hooks.take(delivery("forgejo", f"{ISSUE} on a pull request"))
        await hooks.ended(taken["task_id"])
        before = list(hooks.spawner.trees)
        await hooks.take(delivery("forgejo", name))
        await hooks.cleaned()

        assert (before, hooks.spawner.trees) == ([("main", "feat/basket")], {})


async def test_what_is_opened_again_stays_as_it_is(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hooks:
        await begun(hooks)
        before = await sessions(hooks)
        for name in ("issues.reopened", "pull_request.reopened"):
            taken = await hooks.take(delivery("forgejo", name))
            assert taken["outcome"] == "ignored"

        assert await sessions(hooks) == before
        assert hooks.spawner.removed == []


async def test_an_issue_that_nobody_worked_on_closes_without_a_trace(
    tmp_path: Path,
) -> None:
    async with hooked(tmp_path) as hooks:
        await hooks.take(delivery("forgejo", "issues.closed"))
        await hooks.cleaned()
        told = (await hooks.listed())[0]

    assert "0 worktrees, 0 sessions" in (told["detail"] or "")


async def test_tasks_of_a_closed_issue_that_wait_are_not_begun(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hooks:
        hooks.control.service.queue.pause()
        waits = await hooks.take(delivery("forgejo", ISSUE))
        await hooks.take(delivery("forgejo", "issues.closed"))
        await hooks.cleaned()
        hooks.control.service.queue.resume()
        task = await hooks.ended(waits["task_id"])

    assert task["status"] == "cancelled"
    assert hooks.control.engine.said == []


async def test_what_an_earlier_control_did_not_bring_to_its_end_is_taken_up(
    tmp_path: Path, database_url: str
) -> None:
    async with hooked(tmp_path, database_url=database_url) as hooks:
        await begun(hooks)
        await noted(hooks)

    async with hooked(tmp_path, database_url=database_url) as hooks:
        await hooks.cleaned()
        left = await sessions(hooks)

    assert left == [("main", "8")]


async def test_a_late_clean_up_leaves_what_was_asked_for_since_the_closing(
    tmp_path: Path, database_url: str
) -> None:
    """H09: it was opened again meanwhile, and its task is not lost."""
    async with hooked(tmp_path, database_url=database_url) as hooks:
        await begun(hooks)
        await noted(hooks)
        hooks.control.service.queue.pause()
        since = await hooks.take(delivery("forgejo", ISSUE, number=7))
        assert not since["repeated"]
        await hooks.take(delivery("forgejo", "issues.closed", number=8))
        await hooks.cleaned()
        left = await sessions(hooks)
        hooks.control.service.queue.resume()
        task = await hooks.ended(since["task_id"])

    assert left == []
    assert task["status"] == "completed"
