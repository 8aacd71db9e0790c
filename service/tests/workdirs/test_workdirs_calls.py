# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls about worktrees: who holds one, who waits, and what each is told."""

from __future__ import annotations

import asyncio
import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from agentd.agent.log import Log
from agentd.agent.workdir_calls import WorkdirCalls
from agentd.spawner.dial import CallFailed
from agentd.workdirs.locks import TreeLocks
from agentd.workdirs.names import RepositoryName

from .world import World, git


class Side:
    """The calls of an agent's side, and in which directories its CLIs run."""

    def __init__(self, world: World) -> None:
        self.running: set[Path] = set()
        self.heard = io.StringIO()
        log = Log("main", "info", self.heard)
        self.locks = TreeLocks(self.running.__contains__)
        self.calls = WorkdirCalls(world.settings, log, self.locks, world.places)

    async def acquire(
        self, branch: str, holder: str = "a", **more: object
    ) -> dict[str, Any]:
        """Acquire a worktree of the shop."""
        given = {"repository": "forge:team/shop", "branch": branch, "holder": holder}
        return dict(await self.calls.acquire({"timeout_seconds": 5, **given, **more}))

    async def release(
        self, branch: str, holder: str = "a", *, keep: bool = True
    ) -> dict[str, Any]:
        """Give a worktree of the shop back."""
        given = {"repository": "forge:team/shop", "branch": branch, "holder": holder}
        return dict(await self.calls.release({**given, "keep": keep}))

    async def remove(self, *branches: str, force: bool = True) -> dict[str, Any]:
        """Remove worktrees of the shop."""
        trees = [{"repository": "forge:team/shop", "branch": one} for one in branches]
        return dict(await self.calls.remove({"trees": trees, "force": force}))

    async def list_all(self, **given: object) -> dict[str, Any]:
        """List what is there."""
        return dict(await self.calls.list_all(given))

    async def sweep(self, **given: object) -> dict[str, Any]:
        """Remove all that was saved."""
        return dict(await self.calls.sweep({"older_than_seconds": 0, **given}))


@pytest.fixture
def side(world: World) -> Side:
    """Return the calls over the world's work directories."""
    return Side(world)


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

    assert all(
        [(await side.release(one, one))["released"] for one in ("one", "two", "three")]
    )


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


async def test_removal_leaves_what_is_held_or_worked_in(
    world: World, side: Side
) -> None:
    """H09, I12: forced or not."""
    for branch in ("held", "worked", "free"):
        await side.acquire(branch)
    await side.release("worked")
    await side.release("free")
    side.running.add(world.tree("worked"))

    told = await side.remove("held", "worked", "free", "never")

    def named(*branches: str) -> list[dict[str, str]]:
        return [{"repository": "forge:team/shop", "branch": one} for one in branches]

    assert told["removed"] == named("free")
    assert told["busy"] == named("held", "worked")
    assert told["saved"] == []
    assert not world.tree("free").exists()
    assert world.tree("held").exists()


async def test_removal_without_force_keeps_what_is_not_committed(
    world: World, side: Side
) -> None:
    """H06: with force it is saved, and removed."""
    path = Path((await side.acquire("fix"))["path"])
    await side.release("fix")
    (path / "WORK").write_text("1")

    kept = await side.remove("fix", force=False)
    forced = await side.remove("fix")

    assert (len(kept["kept"]), kept["removed"]) == (1, [])
    assert len(forced["removed"]) == 1
    (saved,) = forced["saved"]
    assert git(world.clone(), "show", f"{saved['recovered']}:WORK") == "1"


async def test_a_release_that_does_not_keep_removes(world: World, side: Side) -> None:
    """H05."""
    await side.acquire("fix")

    told = await side.release("fix", keep=False)

    assert told == {"released": True, "removed": True}
    assert not world.tree("fix").exists()
    assert world.is_clean()


async def test_the_list_tells_what_is_held_and_dirty_page_by_page(
    world: World, side: Side
) -> None:
    """I04: what a sweep has to know."""
    world.new_repository(RepositoryName("forge", "team", "other"))
    for branch in ("a", "b", "c"):
        await side.acquire(branch)
    await side.release("b")
    (world.tree("c") / "WORK").write_text("1")

    first = await side.list_all(limit=2)
    rows = list(first["trees"])
    rest = await side.list_all(limit=2, after=rows[-1]["name"])

    assert (first["more"], rest["more"]) == (True, False)
    rows += rest["trees"]
    assert {row["branch"]: (row["held"], row["dirty"]) for row in rows} == {
        "a": (True, False),
        "b": (False, False),
        "c": (True, True),
    }
    (clone,) = first["clones"]
    assert clone["repository"] == "forge:team/shop"
    assert clone["sound"] is True
    assert rest["clones"] == []


async def test_a_sweep_of_what_was_saved_tells_the_same_when_it_is_dry(
    world: World, side: Side
) -> None:
    """H06, I08."""
    path = Path((await side.acquire("fix"))["path"])
    (path / "WORK").write_text("1")
    await side.release("fix", keep=False)

    dry = await side.sweep(dry_run=True)
    wet = await side.sweep(dry_run=False)
    again = await side.sweep()

    assert dry == wet
    assert len(wet["branches"]) == 1
    assert again == {"branches": [], "directories": []}
    assert world.clone().exists()


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
