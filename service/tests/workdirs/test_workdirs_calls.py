# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls about worktrees: who holds one, who waits, and what each is told."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from agentd.spawner.dial import CallFailed

from .side import Side
from .world import World, git


async def test_a_worktree_is_held_by_one_and_the_next_waits(
    world: World, side: Side
) -> None:
    """H07: until it is given back."""
    await side.acquire("fix", "first")
    async with asyncio.TaskGroup() as tasks:
        second = tasks.create_task(side.acquire("fix", "second", timeout_seconds=30))
        await asyncio.sleep(0.05)
        assert not second.done()
        assert await side.release("fix", "first") == {
            "released": True,
            "removed": False,
        }

    assert second.result()["path"] == str(world.tree("fix"))
    assert not (await side.release("fix", "first"))["released"]


async def test_whoever_waits_too_long_is_told_who_holds_it(side: Side) -> None:
    """H07: the first word says that it is busy."""
    await side.acquire("fix", "first")

    with pytest.raises(CallFailed, match=r'^busy: .*"first" holds it'):
        await side.acquire("fix", "second", timeout_seconds=0.05)

    assert (await side.acquire("fix", "first"))["created"] is False


async def test_two_branches_are_held_at_once(side: Side) -> None:
    """H03: a clone is worked on by one at a time, its worktrees by many."""
    async with asyncio.TaskGroup() as tasks:
        for branch in ("one", "two", "three"):
            tasks.create_task(side.acquire(branch, branch))

    told = [await side.release(one, one) for one in ("one", "two", "three")]
    assert all(one["released"] for one in told)


async def test_a_failure_holds_nothing(world: World, side: Side) -> None:
    """H08."""
    world.remotes.rename(world.remotes.with_name("away"))
    with pytest.raises(CallFailed, match="Cannot clone forge:team/shop"):
        await side.acquire("fix", "first")
    world.remotes.with_name("away").rename(world.remotes)

    assert (await side.acquire("fix", "second", timeout_seconds=0))["created"]


async def test_a_call_that_is_given_up_ends_its_git_and_holds_nothing(
    world: World, side: Side
) -> None:
    """H08: control is gone in the midst of a clone."""
    slow = world.remote() / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 7532\n")
    slow.chmod(0o755)
    await side.acquire("other", "other")
    git(world.clone(), "config", "remote.origin.uploadpack", str(slow))
    acquiring = asyncio.ensure_future(side.acquire("fix", "first"))
    await asyncio.sleep(0.3)

    acquiring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acquiring

    git(world.clone(), "config", "--unset", "remote.origin.uploadpack")
    assert (await side.acquire("fix", "second", timeout_seconds=0))["created"]
    process = await asyncio.create_subprocess_exec(
        "pgrep", "-f", "sleep 7532", stdout=asyncio.subprocess.PIPE
    )
    assert (await process.communicate())[0] == b""


async def test_a_release_reaches_one_who_still_waits(side: Side) -> None:
    """H08: what control gave up is not held later by nobody."""
    await side.acquire("fix", "first")
    waiting = asyncio.ensure_future(side.acquire("fix", "second", timeout_seconds=30))
    await asyncio.sleep(0.05)

    assert (await side.release("fix", "second"))["released"]
    with pytest.raises(CallFailed, match=r"^busy: "):
        await waiting


async def test_what_a_lost_control_held_is_free_when_no_cli_works_in_it(
    world: World, side: Side
) -> None:
    """H08: control was killed; its turn goes on up to its end."""
    await side.acquire("fix", "first")
    side.running.add(world.tree("fix"))
    side.locks.lose()
    with pytest.raises(CallFailed, match=r"^busy: "):
        await side.acquire("fix", "second", timeout_seconds=0.05)

    side.running.clear()

    assert (await side.acquire("fix", "second", timeout_seconds=5))["path"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "team/shop"},
        {"repository": "forge:../shop"},
        {"repository": "forge:team/shop.git"},
        {"repository": 7},
        {"branch": "-f"},
        {"branch": "a..b"},
        {"branch": "../../etc"},
        {"branch": "a\nb"},
        {"branch": "x" * 201},
        {"branch": None},
        {"base": "--upload-pack=x"},
        {"holder": ""},
        {"holder": "x" * 129},
        {"timeout_seconds": -1},
        {"timeout_seconds": float("nan")},
        {"timeout_seconds": True},
        {"fetch_seconds": "0"},
    ],
    ids=str,
)
async def test_what_no_call_may_be_given_is_refused(
    world: World, side: Side, wrong: dict[str, object]
) -> None:
    """H04: nothing of it gets as far as git or the disk."""
    with pytest.raises(CallFailed):
        await side.calls.acquire(
            {
                "repository": "forge:team/shop",
                "branch": "fix",
                "holder": "a",
                "timeout_seconds": 1,
                **wrong,
            }
        )

    assert list(world.places.root.iterdir()) == []


async def test_work_directories_that_are_not_mounted_are_named(
    world: World, side: Side
) -> None:
    """H01: state beside its mount would be lost with the container."""
    shutil.rmtree(world.places.root)

    with pytest.raises(CallFailed, match="workdirs_directory"):
        await side.acquire("fix")
