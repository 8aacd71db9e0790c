# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Work in places where it is easily overlooked is not lost (H06)."""

from __future__ import annotations

import pytest

from agentd.workdirs.recovery import sweep_branches
from agentd.workdirs.removal import remove_tree, sweep_clone, sweep_directories

from .world import SHOP, World, git, try_git

FILES = ("-c", "protocol.file.allow=always")


def everything_in(world: World) -> str:
    """Return the files of all that the clone's branches have, one after the other."""
    clone = world.clone()
    names = git(clone, "for-each-ref", "--format=%(refname)", "refs/heads").split()
    logged = ("log", "--patch", "--first-parent", "--format=")
    return "".join(git(clone, *logged, "-m", name) for name in names)


@pytest.mark.parametrize("way", ["release", "remove"])
@pytest.mark.parametrize("unfinished", ["rebase", "merge"])
def test_what_git_put_by_for_a_rebase_or_a_merge_is_saved(
    world: World, unfinished: str, way: str
) -> None:
    """H06: --autostash keeps it on no branch and in no stash."""
    world.push("main", OTHER="as it was\n")
    tree = world.acquire("fix").path
    for branch, text in (("one", "1\n"), ("two", "2\n")):
        git(tree, "checkout", "--quiet", "-B", branch, "origin/main")
        (tree / "README").write_text(text)
        git(tree, "commit", "--quiet", "--all", "-m", text)
    (tree / "OTHER").write_text("put by\n")
    assert try_git(tree, unfinished, "--autostash", "one").returncode == 1
    assert (tree / "OTHER").read_text() == "as it was\n"

    if way == "release":
        world.acquire("fix")
        assert "put by" not in git(tree, "status", "--porcelain")
    else:
        remove_tree(world.places, world.git(), SHOP, "fix")

    assert "+put by" in everything_in(world)


@pytest.mark.parametrize("is_committed", [True, False])
def test_commits_in_a_submodule_are_kept_when_the_worktree_goes(
    world: World, is_committed: bool
) -> None:
    """H06: git keeps them with what it notes of the worktree."""
    tree = world.acquire("fix").path
    git(tree, *FILES, "submodule", "--quiet", "add", f"file://{world.remote()}", "sub")
    (tree / "sub" / "README").write_text("of the submodule\n")
    git(tree / "sub", "commit", "--quiet", "--all", "-m", "Nowhere else")
    commit = git(tree / "sub", "rev-parse", "HEAD")
    if is_committed:
        git(tree, "add", "--all")
        git(tree, "commit", "--quiet", "-m", "With a submodule")

    remove_tree(world.places, world.git(), SHOP, "fix")

    (kept,) = world.places.recovered("forge").iterdir()
    assert git(kept / "sub", "show", f"{commit}:README") == "of the submodule"
    assert git(world.clone(), "branch", "--list", "fix") == ""
    sweep_directories(world.places, -1, dry_run=False)
    sweep_clone(world.git(), world.clone(), 0, dry_run=False)
    assert git(world.clone(), "worktree", "list").count("\n") == 0


def test_directories_that_cannot_be_written_do_not_stop_a_release(
    world: World,
) -> None:
    """H06: tools make such ones (Go's modules)."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "-b", "other")
    (tree / "cache").mkdir()
    (tree / "cache" / "MODULE").write_text("1")
    (tree / "cache").chmod(0o500)

    acquired = world.acquire("fix")

    assert git(tree, "branch", "--show-current") == "fix"
    assert acquired.recovered is not None
    assert git(tree, "show", f"{acquired.recovered}:cache/MODULE") == "1"
    assert git(tree, "status", "--porcelain") == ""
    for directory in world.places.root.rglob("cache"):
        directory.chmod(0o700)


def test_a_repository_within_a_very_large_worktree_is_kept(world: World) -> None:
    """H06: however many files are listed before it."""
    tree = world.acquire("fix").path
    directory = tree.joinpath(*["long-name" * 20] * 6)
    directory.mkdir(parents=True)
    for number in range(4_500):
        (directory / str(number)).touch()
    (tree / "within").mkdir()
    git(tree / "within", "init", "--quiet")
    git(tree / "within", "commit", "--quiet", "--allow-empty", "-m", "First")

    remove_tree(world.places, world.git(), SHOP, "fix")

    (kept,) = world.places.recovered("forge").iterdir()
    assert (kept / "within" / ".git").is_dir()


def test_a_draft_of_an_index_that_was_killed_does_not_stop_the_next(
    world: World,
) -> None:
    """H06: its lock is nobody's."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "-b", "other")
    (tree / "WORK").write_text("1")
    drafts = world.places.draft(SHOP).parent
    drafts.mkdir(exist_ok=True)
    (drafts / f"{tree.name}.index.lock").touch()

    assert world.acquire("fix").recovered is not None


def test_commits_on_no_branch_are_saved_beside_files_that_cannot_be(
    world: World,
) -> None:
    """H06."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "--detach")
    (tree / "README").write_text("committed\n")
    git(tree, "commit", "--quiet", "--all", "-m", "On no branch")
    lost = git(tree, "rev-parse", "HEAD")
    (tree / "within").mkdir()
    git(tree / "within", "init", "--quiet")

    world.acquire("fix")

    assert "worktree-recovery" in git(world.clone(), "branch", "--contains", lost)


def test_saved_work_that_is_worked_on_is_not_swept(world: World) -> None:
    """H06: who takes up what was saved stands on its branch."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "-b", "other")
    (tree / "WORK").write_text("1")
    saved = world.acquire("fix").recovered
    assert saved is not None
    git(tree, "checkout", "--quiet", saved)

    assert sweep_branches(world.git(), world.clone(), 0, dry_run=False) == []
    assert git(tree, "branch", "--show-current") == saved
