# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Webhooks over HTTP: what they give agents to do, and that it is given once."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

from forge.deliveries import delivery, signed

from agentd.database.webhooks import put_event
from agentd.webhooks.values import Outcome

from .hooked import NOTED, hooked

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


async def test_a_repeat_is_answered_with_the_same_task_and_does_nothing(
    tmp_path: Path,
) -> None:
    """H09: whatever id a delivery has, which nobody signs."""
    sent = delivery("forgejo", ISSUE)
    replayed = replace(
        sent, headers={**sent.headers, "X-Forgejo-Delivery": str(uuid.uuid4())}
    )
    relabelled = signed("forgejo", "issue_comment", another("the same delivery"))
    name = "X-Forgejo-Delivery"
    same_id = replace(
        relabelled, headers={**relabelled.headers, name: sent.headers[name]}
    )
    async with hooked(tmp_path) as hooks:
        first = await hooks.take(sent)
        await hooks.ended(first["task_id"])
        others = [await hooks.take(one) for one in (sent, replayed, same_id)]
        said = list(hooks.control.engine.said)
        listed = await hooks.listed()

    assert [one["repeated"] for one in others] == [True, True, True]
    assert {one["task_id"] for one in others} == {first["task_id"]}
    assert (len(said), len(listed)) == (1, 1)


async def test_twins_that_come_at_the_same_time_give_one_task(
    tmp_path: Path, database_url: str
) -> None:
    sent = delivery("forgejo", ISSUE)
    async with hooked(tmp_path, database_url=database_url) as hooks:
        async with asyncio.TaskGroup() as tasks:
            twins = [tasks.create_task(hooks.take(sent)) for _turn in range(12)]
        taken = [one.result() for one in twins]
        await hooks.ended(taken[0]["task_id"])
        said = list(hooks.control.engine.said)

    assert sum(not one["repeated"] for one in taken) == 1
    assert len({one["task_id"] for one in taken}) == len(said) == 1


async def test_what_was_ignored_is_judged_again_when_it_is_delivered_again(
    tmp_path: Path, database_url: str
) -> None:
    sent = delivery("forgejo", "issues.opened")
    rules = [{"events": ["issues.opened"], "addressed": False}]
    async with hooked(tmp_path, database_url=database_url) as hooks:
        first = await hooks.take(sent)
        second = await hooks.take(sent)
        await hooks.settle(rules=rules)
        third = await hooks.take(sent)
        await hooks.settle()
        fourth = await hooks.take(sent)
        listed = await hooks.listed()

    assert [one["outcome"] for one in (first, second)] == ["ignored", "ignored"]
    assert "not addressed" in first["detail"]
    assert (third["outcome"], fourth["repeated"]) == ("dispatched", True)
    assert fourth["task_id"] == third["task_id"]
    assert [one["outcome"] for one in listed] == ["dispatched"]


async def test_events_that_nobody_knows_are_ignored(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hooks:
        await hooks.settle("github")
        fork = await hooks.take(delivery("forgejo", "fork"))
        ping = await hooks.take(delivery("github", "ping"), "github")
        star = await hooks.take(delivery("github", "star.created"), "github")
        listed = await hooks.listed(source="github", limit=1)

    assert [one["outcome"] for one in (fork, ping, star)] == ["ignored"] * 3
    assert [one["event"] for one in listed] == ["star"]


async def test_one_deed_that_is_told_by_several_events_gives_one_task(
    tmp_path: Path,
) -> None:
    assigned = delivery("github", "issues.assigned")
    opened = {**assigned.payload, "action": "opened"}
    async with hooked(tmp_path) as hooks:
        await hooks.settle("github")
        first = await hooks.take(signed("github", "issues", opened), "github")
        second = await hooks.take(assigned, "github")
        said = await hooks.take(delivery("github", ISSUE), "github")

    assert (first["outcome"], second["outcome"]) == ("dispatched", "ignored")
    assert first["task_id"] in second["detail"]
    assert said["outcome"] == "dispatched"


async def test_a_task_that_was_cancelled_stands_for_no_event(
    tmp_path: Path, database_url: str
) -> None:
    """H09: closed, opened again and assigned: it is to be worked on."""
    assigned = delivery("forgejo", "issues.assigned")
    opened = {**assigned.payload, "action": "opened"}
    async with hooked(tmp_path, database_url=database_url) as hooks:
        hooks.control.service.queue.pause()
        first = await hooks.take(signed("forgejo", "issues", opened))
        await hooks.take(delivery("forgejo", "issues.closed"))
        await hooks.cleaned()
        second = await hooks.take(assigned)
        hooks.control.service.queue.resume()
        ends = [await hooks.ended(one["task_id"]) for one in (first, second)]

    assert [one["status"] for one in ends] == ["cancelled", "completed"]


async def test_a_repository_of_another_forge_is_named_with_it(tmp_path: Path) -> None:
    async with hooked(tmp_path) as hooks:
        await hooks.settle("github")
        await hooks.settle("jira", projects={"SHOP": "team/shop"})
        github = await hooks.take(delivery("github", ISSUE), "github")
        jira = await hooks.take(delivery("jira", "comment_created"), "jira")
        for one in (github, jira):
            await hooks.ended(one["task_id"])
        told = [(one["repository"], one["issue"]) for one in await hooks.listed()]

    assert told == [("team/shop", "SHOP-7"), ("hub:team/shop", "7")]
    assert ("main", "agentkeep/issue-SHOP-7") in hooks.spawner.trees


async def test_no_more_is_taken_than_may_wait_and_it_can_be_delivered_again(
    tmp_path: Path,
) -> None:
    rule = {"events": ["issue_comment.created"]}
    async with hooked(tmp_path, max_queued_tasks=1) as hooks:
        hooks.control.service.queue.pause()
        await hooks.settle(rules=[rule])
        first = await hooks.take(delivery("forgejo", ISSUE))
        sent = signed("forgejo", "issue_comment", another("more"))
        full = await hooks.send(sent)
        hooks.control.service.queue.resume()
        await hooks.ended(first["task_id"])
        again = await hooks.take(sent)

    assert full.status_code == 503
    assert "1 tasks wait already" in full.json()["error"]
    assert (again["outcome"], again["repeated"]) == ("dispatched", False)


async def test_a_conversation_keeps_its_branch_whatever_the_settings_say_later(
    tmp_path: Path,
) -> None:
    async with hooked(tmp_path) as hooks:
        first = await hooks.take(delivery("forgejo", ISSUE))
        await hooks.ended(first["task_id"])
        await hooks.settle(branch="work/{number}")
        second = await hooks.take(signed("forgejo", "issue_comment", another("more")))
        ended = await hooks.ended(second["task_id"])

    assert ended["status"] == "completed", ended
    assert list(hooks.spawner.trees) == [("main", "agentkeep/issue-7")]


async def test_what_was_received_long_ago_is_forgotten(
    tmp_path: Path, database_url: str
) -> None:
    """What was acted upon is known for a year, what is to be removed until it is."""
    day, now = 86_400.0, time.time()
    rows: list[tuple[Outcome, float, bool]] = [
        ("ignored", now - 29 * day, True),
        ("ignored", now - 31 * day, False),
        ("dispatched", now - 364 * day, True),
        ("dispatched", now - 366 * day, False),
        ("cleaned", now - 366 * day, False),
    ]
    async with hooked(tmp_path, database_url=database_url) as hooks:
        database = hooks.control.service.database
        for number, (outcome, at, _kept) in enumerate(rows):
            event = replace(
                NOTED, received_at=at, outcome=outcome, delivery=f"{number}"
            )
            await database.do(partial(put_event, digest=f"{number:064}", event=event))
        await hooks.take(delivery("forgejo", "fork"))
        left = {one["delivery"] for one in await hooks.listed()}

    assert left >= {str(n) for n, row in enumerate(rows) if row[2]}
    assert not left & {str(n) for n, row in enumerate(rows) if not row[2]}
