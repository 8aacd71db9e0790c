# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Worktrees are removed, listed and swept by calls, and never while somebody is in."""

from __future__ import annotations

from pathlib import Path

from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import record_path

from .side import Side
from .world import World, git


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


async def test_a_sweep_sets_aside_what_is_no_worktree_unless_somebody_is_in_it(
    world: World, side: Side
) -> None:
    """H06: a record that its agent damaged is no reason to lose the ground."""
    for branch in ("held", "free"):
        await side.acquire(branch)
        record_path(world.tree(branch)).write_text("{")
    await side.release("free")

    await side.sweep(older_than_seconds=3600)

    assert world.tree("held").exists()
    assert not world.tree("free").exists()
    kept = [path.name for path in world.places.recovered("forge").iterdir()]
    assert any(name.endswith(world.tree("free").name) for name in kept)


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
