# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is left of an issue or a branch is removed, if need be later, and once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from control.fakes import FakeEngine
from control.running_app import Parts

from agentd.database.cleanups import (
    Cleanup,
    add_cleanup,
    due_cleanups,
    finish_cleanup,
    forget_done,
    next_cleanup_at,
    put_off_cleanup,
    remove_cleanups,
)
from agentd.database.open import open_database
from agentd.work import work as work_module
from agentd.work.values import Cleaned, Wish
from agentd.workdirs.names import RepositoryName

from .worktrees import WEB, WorkControl, WorkSpawner, until, working

REPOSITORY = RepositoryName("work", "shop", "web")
ISSUE = {"repository": "shop/web", "issue": "7"}
CLOSED = Wish(REPOSITORY, issue="7")
MERGED = Wish(REPOSITORY, branch="fix/cart")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is put off be tried again within the time of a test."""
    monkeypatch.setattr(work_module, "PAUSE_SECONDS", 0.2)


async def pending(running: WorkControl) -> float | None:
    """Return when the next clean-up is due, if one is stored."""
    async with running.control.service.database.read() as connection:
        return await connection.run_sync(next_cleanup_at)


async def until_done(running: WorkControl) -> None:
    """Wait until no clean-up is stored."""
    async with asyncio.timeout(10):
        while await pending(running) is not None:
            await asyncio.sleep(0.02)


async def test_a_closed_issue_leaves_no_worktree_and_no_session_of_any_agent(
    tmp_path: Path, database_url: str
) -> None:
    """H09: the messages stay, another issue does, and a repeat does nothing."""
    on = {"database_url": database_url, "store_sessions": False}
    async with working(tmp_path, None, **on) as running:
        for agent in ("main", "mail"):
            await running.say(agent=agent, branch="fix/cart", **ISSUE)
        await running.say(repository="shop/web", issue="8", branch="fix/8")
        clean = running.control.service.work.clean
        cleaned = [await clean(CLOSED) for _time in range(2)]
        stored = await pending(running)
        trees = set(running.spawner.trees)
        again = await running.say("reopened", **ISSUE)
        messages = f"/chat/{again['conversation_id']}/messages"
        said = (await running.control.client.get(messages)).json()["messages"]

    assert cleaned == [Cleaned(worktrees=2, sessions=2), Cleaned()]
    assert stored is None
    assert trees == {("main", WEB, "fix/8")}
    assert not again["resumed"] and len(said) == 4


async def test_a_merged_branch_leaves_its_worktree_and_what_is_over_with_it(
    tmp_path: Path,
) -> None:
    """H09: an issue that was worked on there is open still, and its session goes on."""
    async with working(tmp_path) as running:
        await running.say(repository="shop/web", branch="fix/cart")
        open_still = await running.say(branch="fix/cart", **ISSUE)
        pull = {"repository": "shop/web", "issue": "9"}
        await running.say(agent="mail", branch="fix/cart", **pull)
        clean = running.control.service.work.clean
        mine = await clean(replace(MERGED, issue="9", agent="main"))
        trees = set(running.spawner.trees)
        rest = await clean(replace(MERGED, issue="9"))
        left = set(running.spawner.trees)
        closed = list(running.control.engine.closed)
        after = await running.say("more", **ISSUE)

    assert mine == Cleaned(worktrees=1, sessions=1)
    assert trees == {("mail", WEB, "fix/cart")}
    assert (rest, left) == (Cleaned(worktrees=1, sessions=1), set())
    assert open_still["conversation_id"] in closed
    assert (after["session_id"], after["resumed"]) == (open_still["session_id"], True)


async def test_a_conversation_about_no_issue_keeps_the_branch_that_names_one(
    tmp_path: Path, database_url: str
) -> None:
    """H09: nobody closed it, and it goes on where it was."""
    on = {"database_url": database_url, "store_sessions": False}
    branch = "agentkeep/issue-7"
    async with working(tmp_path, **on) as running:
        first = await running.say(repository="shop/web", branch=branch)
        await running.say(agent="mail", branch="fix/cart", **ISSUE)
        cleaned = await running.control.service.work.clean(CLOSED)
        trees = set(running.spawner.trees)
        again = await running.say(conversation_id=first["conversation_id"])

    assert cleaned == Cleaned(worktrees=1, sessions=1)
    assert trees == {("main", WEB, branch)}
    assert again["resumed"]


async def test_what_runs_is_not_stopped_and_goes_when_it_has_ended(
    tmp_path: Path, database_url: str
) -> None:
    """H09: the agent that has nothing to do is cleaned up at once."""
    parts = Parts(engine=FakeEngine())
    on = {"database_url": database_url, "store_sessions": False}
    async with working(tmp_path, parts, **on) as running:
        await running.say(agent="mail", branch="fix/cart", **ISSUE)
        parts.engine.gate = asyncio.Event()
        asked = asyncio.ensure_future(running.say(branch="fix/cart", **ISSUE))
        await until(lambda: len(parts.engine.wishes) == 2)
        cleaned = await running.control.service.work.clean(CLOSED)
        trees = set(running.spawner.trees)
        parts.engine.gate.set()
        answer = await asked
        await until_done(running)
        left = set(running.spawner.trees)
        parts.engine.gate = None
        after = await running.say("x", **ISSUE)

    assert cleaned == Cleaned(worktrees=1, sessions=1, busy=1)
    assert trees == {("main", WEB, "fix/cart")}
    assert (answer["status"], left, after["resumed"]) == ("success", set(), False)


async def test_a_worktree_in_use_and_an_agent_that_is_away_are_cleaned_up_later(
    tmp_path: Path,
) -> None:
    place = ("main", WEB, "fix/cart")
    async with working(tmp_path) as running:
        await running.say(branch="fix/cart", **ISSUE)
        running.spawner.used = {place}
        running.spawner.connected["mail"] = False
        cleaned = await running.control.service.work.clean(CLOSED)
        resumed = await running.control.service.work.clean(CLOSED)
        running.spawner.used = set()
        running.spawner.connected["mail"] = True
        await until_done(running)

    assert cleaned == resumed == Cleaned(busy=2)
    assert not running.spawner.trees


async def test_a_clean_up_outlives_control(tmp_path: Path) -> None:
    spawner = WorkSpawner(used={("main", WEB, "fix/cart")})
    async with working(tmp_path, Parts(spawner=spawner)) as running:
        await running.say(branch="fix/cart", **ISSUE)
        await running.control.service.work.clean(CLOSED)
    spawner.used = set()
    async with working(tmp_path, Parts(spawner=spawner)) as running:
        await until_done(running)
        after = await running.say("x", **ISSUE)

    assert not after["resumed"]


async def test_a_conversation_that_was_told_more_since_then_is_kept(
    tmp_path: Path,
) -> None:
    """H09: what was reopened meanwhile is no part of an earlier closing."""
    async with working(tmp_path) as running:
        await running.say(branch="fix/cart", **ISSUE)
        running.spawner.used = {("main", WEB, "fix/cart")}
        await running.control.service.work.clean(CLOSED)
        await running.say("reopened", **ISSUE)
        running.spawner.used = set()
        await until_done(running)
        trees = set(running.spawner.trees)
        after = await running.say("more", **ISSUE)

    assert after["resumed"] and ("main", WEB, "fix/cart") in trees


async def test_a_worktree_that_another_issue_is_worked_on_in_is_kept(
    tmp_path: Path,
) -> None:
    async with working(tmp_path) as running:
        await running.say(branch="fix/cart", **ISSUE)
        await running.say(repository="shop/web", issue="8", branch="fix/cart")
        cleaned = await running.control.service.work.clean(CLOSED)
        trees = set(running.spawner.trees)

    assert cleaned == Cleaned(sessions=1)
    assert trees == {("main", WEB, "fix/cart")}


async def test_queued_tasks_of_a_closed_issue_are_cancelled(tmp_path: Path) -> None:
    """H09: neither those of another issue nor one that runs."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    later = {"available_at": "2100-01-01T00:00:00Z"}
    async with working(tmp_path, parts) as running:
        _status, runs = await running.post("/queue", prompt="x", **ISSUE)
        await until(lambda: len(parts.engine.wishes) == 1)
        _status, mine = await running.post("/queue", prompt="x", **ISSUE, **later)
        other = {"repository": "shop/web", "issue": "8", "branch": "fix/cart"}
        _status, kept = await running.post("/queue", prompt="x", **other, **later)
        closed = replace(MERGED, issue="7")
        cleaned = await running.control.service.work.clean(closed)
        assert parts.engine.gate is not None
        parts.engine.gate.set()
        queue = running.control.service.queue
        async with asyncio.timeout(10):
            while (await queue.task(runs["id"])).status == "running":
                await asyncio.sleep(0.02)
        found = [(await queue.task(one["id"])).status for one in (runs, mine, kept)]

    assert cleaned.tasks == 1
    assert found == ["completed", "cancelled", "queued"]


async def test_a_clean_up_is_kept_until_every_living_host_did_it(
    database_url: str,
) -> None:
    async with open_database(database_url) as database:
        first = await database.do(lambda c: add_cleanup(c, CLOSED, 10.0, 40.0))
        same = await database.do(lambda c: add_cleanup(c, CLOSED, 20.0, 20.0))
        # It was asked for anew since then.
        await database.do(lambda c: finish_cleanup(c, first, "a", {"a"}))
        stored = await database.do(lambda c: due_cleanups(c, "a", 99.0))
        await database.do(lambda c: finish_cleanup(c, same, "a", {"a", "b"}))
        due = await database.do(
            lambda c: [due_cleanups(c, host, 99.0) for host in ("a", "b")]
        )
        await database.do(lambda c: put_off_cleanup(c, same, 300.0, "It is busy."))
        early = await database.do(lambda c: due_cleanups(c, "b", 99.0))
        late = await database.do(lambda c: due_cleanups(c, "b", 300.0))
        await database.do(lambda c: finish_cleanup(c, same, "b", {"a", "b"}))
        left = await database.do(next_cleanup_at)

    assert same.number == first.number
    assert stored == [same] == [Cleanup(same.number, CLOSED, 20.0, 20.0)]
    assert due == [[], [replace(same, hosts=("a",))]]
    assert early == []
    assert [(one.attempts, one.error) for one in late] == [(1, "It is busy.")]
    assert left is None


async def test_a_clean_up_waits_for_no_host_that_is_gone(database_url: str) -> None:
    async with open_database(database_url) as database:
        mine = await database.do(lambda c: add_cleanup(c, CLOSED, 10.0, 10.0))
        await database.do(lambda c: add_cleanup(c, MERGED, 20.0, 20.0))
        await database.do(lambda c: finish_cleanup(c, mine, "a", {"a", "b"}))
        await database.do(lambda c: forget_done(c, {"a", "b"}))
        both = await database.do(lambda c: due_cleanups(c, "c", 99.0))
        await database.do(lambda c: forget_done(c, {"a"}))
        left = await database.do(lambda c: due_cleanups(c, "c", 99.0))

    assert [one.wish for one in both] == [CLOSED, MERGED]
    assert [one.wish for one in left] == [MERGED]


async def test_a_clean_up_that_nobody_could_do_for_a_day_is_given_up(
    database_url: str,
) -> None:
    async with open_database(database_url) as database:
        await database.do(lambda c: add_cleanup(c, CLOSED, 10.0, 10.0))
        await database.do(lambda c: add_cleanup(c, MERGED, 90.0, 90.0))
        gone = await database.do(lambda c: remove_cleanups(c, 50.0))
        left = await database.do(lambda c: due_cleanups(c, "a", 99.0))

    assert gone == 1
    assert [one.wish for one in left] == [MERGED]
