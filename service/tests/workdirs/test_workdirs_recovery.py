# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Work is saved before a worktree is reset or removed, whatever the agent left."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.workdirs.recovery import sweep_branches
from agentd.workdirs.removal import remove_tree, strays, sweep_directories

from .world import SHOP, World, git, try_git


def left_on_another_branch(world: World) -> Path:
    """Return a worktree that its agent left on another branch, with work in it."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "-b", "other")
    (tree / "README").write_text("changed\n")
    (tree / "STAGED").write_text("first\n")
    git(tree, "add", "STAGED")
    (tree / "STAGED").write_text("second\n")
    (tree / "NEW").write_text("untracked\n")
    return tree


def test_a_dirty_tree_on_the_wrong_branch_is_saved_and_put_right(world: World) -> None:
    """H03, H06."""
    tree = left_on_another_branch(world)

    acquired = world.acquire("fix")

    saved = acquired.recovered
    assert saved is not None
    assert saved == f"worktree-recovery/{git(tree, 'rev-parse', saved)}"
    assert git(tree, "show", f"{saved}:README") == "changed"
    assert git(tree, "show", f"{saved}:STAGED") == "second"
    assert git(tree, "show", f"{saved}:NEW") == "untracked"
    assert git(tree, "show", f"{saved}^2:STAGED") == "first"
    assert git(tree, "branch", "--show-current") == "fix"
    assert git(tree, "status", "--porcelain") == ""
    assert acquired.path == tree
    assert world.is_clean()


def test_a_clean_tree_on_the_wrong_branch_leaves_nothing_to_save(world: World) -> None:
    """H03."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "-b", "other")

    assert world.acquire("fix").recovered is None
    assert git(tree, "branch", "--show-current") == "fix"


def test_commits_that_are_on_no_branch_are_saved(world: World) -> None:
    """H06."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "--detach")
    (tree / "README").write_text("committed\n")
    git(tree, "commit", "--quiet", "--all", "-m", "On no branch")
    lost = git(tree, "rev-parse", "HEAD")

    saved = world.acquire("fix").recovered

    assert saved is not None
    assert git(tree, "rev-parse", f"{saved}^") == lost


@pytest.mark.parametrize("unfinished", ["merge", "cherry-pick", "rebase"])
def test_what_was_not_finished_on_another_branch_is_saved_and_ended(
    world: World, unfinished: str
) -> None:
    """H06: a conflict too, whose index has no tree."""
    tree = world.acquire("fix").path
    for branch, text in (("one", "1\n"), ("two", "2\n")):
        git(tree, "checkout", "--quiet", "-B", branch, "origin/main")
        (tree / "README").write_text(text)
        git(tree, "commit", "--quiet", "--all", "-m", text)
    assert try_git(tree, unfinished, "one").returncode == 1
    (tree / "README").write_text("half resolved\n")

    saved = world.acquire("fix").recovered

    assert saved is not None
    assert git(tree, "show", f"{saved}:README") == "half resolved"
    assert git(tree, "status", "--porcelain=v2", "--branch").count("fix") == 1
    git(tree, "commit", "--quiet", "--allow-empty", "-m", "An own commit, no merge")
    assert len(git(tree, "rev-list", "--parents", "-1", "HEAD").split()) == 2


def test_a_rebase_of_the_branch_itself_goes_on(world: World) -> None:
    """H03: it is the branch's own work."""
    tree = world.acquire("fix").path
    (tree / "README").write_text("mine\n")
    git(tree, "commit", "--quiet", "--all", "-m", "Mine")
    world.push("main", README="theirs\n")
    git(tree, "fetch", "--quiet")
    assert try_git(tree, "rebase", "origin/main").returncode == 1

    acquired = world.acquire("fix")

    assert acquired.recovered is None
    assert "rebase" in " ".join(acquired.notices)
    assert "interactive rebase in progress" in git(tree, "status")


def test_what_git_cannot_save_is_set_aside_as_a_directory(world: World) -> None:
    """H06: a repository within the worktree that has no commit."""
    tree = left_on_another_branch(world)
    (tree / "within").mkdir()
    git(tree / "within", "init", "--quiet")
    (tree / "within" / "WORK").write_text("1")

    acquired = world.acquire("fix")

    (kept,) = world.places.recovered("forge").iterdir()
    assert (kept / "within" / "WORK").read_text() == "1"
    assert git(acquired.path, "branch", "--show-current") == "fix"
    assert str(kept) in " ".join(acquired.notices)
    assert world.is_clean()


def test_removal_saves_what_the_forge_does_not_have_and_leaves_nothing(
    world: World,
) -> None:
    """H05, H06."""
    tree = world.acquire("fix").path
    (tree / "README").write_text("committed\n")
    git(tree, "commit", "--quiet", "--all", "-m", "Not pushed")
    (tree / "README").write_text("not committed\n")

    removed = remove_tree(world.places, world.git(), SHOP, "fix")

    (saved,) = removed.saved
    assert git(world.clone(), "show", f"{saved}:README") == "not committed"
    assert git(world.clone(), "show", f"{saved}^:README") == "committed"
    assert list(world.places.trees("forge").iterdir()) == []
    assert git(world.clone(), "branch", "--list", "fix") == ""
    assert world.is_clean()


def test_removal_of_what_was_pushed_saves_nothing(world: World) -> None:
    """H05, H09: the second time there is nothing to do."""
    tree = world.acquire("fix").path
    (tree / "README").write_text("pushed\n")
    git(tree, "commit", "--quiet", "--all", "-m", "Pushed")
    git(tree, "push", "--quiet")

    first = remove_tree(world.places, world.git(), SHOP, "fix")
    second = remove_tree(world.places, world.git(), SHOP, "fix")

    assert (first.removed, first.saved) == (True, ())
    assert not second.removed


def test_removal_keeps_repositories_that_lie_within_the_worktree(world: World) -> None:
    """H06: no commit of the outer one has what is in them."""
    tree = world.acquire("fix").path
    (tree / "within").mkdir()
    git(tree / "within", "init", "--quiet")
    git(tree / "within", "commit", "--quiet", "--allow-empty", "-m", "First")
    (tree / "within" / "WORK").write_text("1")

    remove_tree(world.places, world.git(), SHOP, "fix")

    (kept,) = world.places.recovered("forge").iterdir()
    assert (kept / "within" / "WORK").read_text() == "1"


def test_what_was_saved_goes_after_its_time_and_not_before(world: World) -> None:
    """H06."""
    left_on_another_branch(world)
    saved = world.acquire("fix").recovered
    kept = world.places.recovered("forge") / "1000000000-0-old"
    kept.mkdir(parents=True)
    (kept / "FILE").write_text("1")
    clone, git_now = world.clone(), world.git()

    assert sweep_branches(git_now, clone, 3600, dry_run=False) == []
    assert sweep_branches(git_now, clone, 0, dry_run=True) == [saved]
    assert sweep_branches(git_now, clone, 0, dry_run=False) == [saved]
    assert git(clone, "branch", "--list", "worktree-recovery/*") == ""
    assert sweep_directories(world.places, 3600, dry_run=True) == [str(kept)]
    assert kept.exists()
    assert sweep_directories(world.places, 3600, dry_run=False) == [str(kept)]
    assert not kept.exists()


def test_an_old_commit_that_is_saved_today_stays_for_its_time(world: World) -> None:
    """H06: it is the saving that ages, not the work."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "--detach")
    (tree / "README").write_text("old\n")
    dates = {
        "GIT_AUTHOR_DATE": "2001-01-01T00:00",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00",
    }
    git(tree, "commit", "--quiet", "--all", "-m", "Old", **dates)

    saved = world.acquire("fix").recovered

    assert saved is not None
    assert sweep_branches(world.git(), world.clone(), 3600, dry_run=False) == []


def test_what_lies_among_the_worktrees_and_is_none_is_noticed(world: World) -> None:
    """H06: so that nothing stays that nobody can name."""
    tree = world.acquire("fix").path
    stray = tree.with_name("notes")
    stray.mkdir()
    (stray / "NOTE").write_text("1")

    assert strays(world.places) == [("forge", stray)]
    assert tree.exists()
