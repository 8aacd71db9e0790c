# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Clones and worktrees that were damaged, killed in the making, or replaced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agentd.workdirs.clones import CloneFailed, is_broken
from agentd.workdirs.places import record_path

from .world import World, git


def no_head(clone: Path) -> None:
    (clone / ".git" / "HEAD").unlink()


def head_of_nothing(clone: Path) -> None:
    (clone / ".git" / "HEAD").write_bytes(b"\0" * 40)


def no_config(clone: Path) -> None:
    (clone / ".git" / "config").write_text("[remote \n\0")


def a_file_for_git(clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    (clone / ".git").write_text("gitdir: /nowhere\n")


def no_refs(clone: Path) -> None:
    shutil.rmtree(clone / ".git" / "refs")


def a_link_for_the_clone(clone: Path) -> None:
    clone.rename(clone.with_name("elsewhere"))
    clone.symlink_to("/")


def no_objects(clone: Path) -> None:
    for pack in (clone / ".git" / "objects").rglob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"\0" * pack.stat().st_size)


FAULTS = [
    no_head,
    head_of_nothing,
    no_config,
    a_file_for_git,
    no_refs,
    a_link_for_the_clone,
    no_objects,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_clone_heals_and_no_work_is_lost(
    world: World, fault: Callable[[Path], None]
) -> None:
    """H02: the worktrees are of the new clone, with their files as they were."""
    trees = {name: world.acquire(name).path for name in ("one", "two")}
    for name, tree in trees.items():
        (tree / "WORK").write_text(name)
    fault(world.clone())
    world.push("main", NEW="1")

    acquired = world.acquire("one")

    assert acquired.healed
    assert acquired.path == trees["one"]
    assert "broken" in " ".join(acquired.notices)
    for name, tree in trees.items():
        assert (tree / "WORK").read_text() == name
        assert git(tree, "branch", "--show-current") == name
        assert "?? WORK" in git(tree, "status", "--porcelain")
    assert world.is_clean()
    assert not world.acquire("two").healed


@pytest.mark.parametrize("fault", [no_head, no_config, head_of_nothing])
def test_commits_of_a_broken_clone_that_were_not_pushed_are_in_the_new_one(
    world: World, fault: Callable[[Path], None]
) -> None:
    """H02: and commits on no branch are on a recovery branch."""
    tree = world.acquire("fix").path
    (tree / "README").write_text("not pushed\n")
    git(tree, "commit", "--quiet", "--all", "-m", "Not pushed")
    commit = git(tree, "rev-parse", "HEAD")
    other = world.acquire("loose").path
    git(other, "checkout", "--quiet", "--detach")
    (other / "README").write_text("loose\n")
    git(other, "commit", "--quiet", "--all", "-m", "Loose")
    loose = git(other, "rev-parse", "HEAD")
    fault(world.clone())

    acquired = world.acquire("fix")

    assert acquired.healed
    assert acquired.head == commit
    assert git(tree, "status", "--porcelain") == ""
    saved = git(world.clone(), "branch", "--contains", loose, "--format=%(refname)")
    assert "worktree-recovery/" in saved


def test_a_broken_clone_does_not_put_the_files_of_one_branch_onto_another(
    world: World,
) -> None:
    """H02, H06: on the wrong branch, and in a clone without a head."""
    tree = world.acquire("fix").path
    git(tree, "checkout", "--quiet", "-b", "other")
    (tree / "README").write_text("of other\n")
    git(tree, "commit", "--quiet", "--all", "-m", "Of other")
    no_head(world.clone())

    acquired = world.acquire("fix")

    assert git(tree, "branch", "--show-current") == "fix"
    assert (tree / "README").read_text() == "hello\n"
    assert git(tree, "show", "other:README") == "of other"
    assert acquired.recovered is None


def test_a_clone_that_cannot_be_made_leaves_the_broken_one_as_it_was(
    world: World, tmp_path: Path
) -> None:
    """H02: it may still have work in it."""
    world.acquire("fix")
    no_head(world.clone())
    world.remotes.rename(tmp_path / "away")

    with pytest.raises(CloneFailed, match="forge:team/shop"):
        world.acquire("fix")

    assert (world.clone() / ".git" / "config").exists()
    assert (world.tree("fix") / "README").exists()
    (tmp_path / "away").rename(world.remotes)
    assert world.acquire("fix").healed


def test_a_worktree_without_git_s_own_files_is_attached_again(world: World) -> None:
    """H02: its directory in the clone is gone, as after a prune."""
    tree = world.acquire("fix").path
    (tree / "WORK").write_text("1")
    shutil.rmtree(world.clone() / ".git" / "worktrees")

    acquired = world.acquire("fix")

    assert acquired.healed
    assert (tree / "WORK").read_text() == "1"
    assert git(tree, "status", "--porcelain") == "?? WORK"
    assert world.is_clean()


@pytest.mark.parametrize("kind", ["file", "link", "files"])
def test_what_stands_in_the_place_of_a_worktree_is_kept_beside(
    world: World, kind: str
) -> None:
    """H03."""
    tree = world.tree("fix")
    tree.parent.mkdir(parents=True)
    if kind == "file":
        tree.write_text("1")
    elif kind == "link":
        tree.symlink_to("/")
    else:
        tree.mkdir()
        (tree / "WORK").write_text("1")

    acquired = world.acquire("fix")

    assert git(acquired.path, "branch", "--show-current") == "fix"
    if kind == "files":
        assert (acquired.path / "WORK").read_text() == "1"
    else:
        assert len(list(world.places.recovered("forge").iterdir())) == 1


def test_an_index_that_is_none_is_made_again(world: World) -> None:
    """H02."""
    tree = world.acquire("fix").path
    (tree / "README").write_text("changed\n")
    index = Path(git(tree, "rev-parse", "--absolute-git-dir")) / "index"
    index.write_bytes(b"\0" * 100)

    world.acquire("fix")

    assert git(tree, "status", "--porcelain") == "M README"


def test_locks_of_a_git_that_was_killed_do_not_stop_the_next(world: World) -> None:
    """H02: those from before the agent's start, and those of a tree nobody uses."""
    tree = world.acquire("fix").path
    admin = Path(git(tree, "rev-parse", "--absolute-git-dir"))
    old = [world.clone() / ".git" / name for name in ("config.lock", "shallow.lock")]
    for lock in old:
        lock.touch()
        os.utime(lock, (1, 1))
    (admin / "index.lock").touch()
    git(tree, "update-ref", "refs/heads/other", "HEAD")
    (admin / "HEAD.lock").touch()
    world.push("fix", NEW="1")

    acquired = world.acquire("fix")

    assert (tree / "NEW").exists()
    assert acquired.notices == []
    assert not any(lock.exists() for lock in old)


def test_a_remote_that_its_agent_removed_is_set_again(world: World) -> None:
    """H01: with what it fetches, and where to."""
    tree = world.acquire("fix").path
    git(tree, "remote", "remove", "origin")
    world.push("topic", NEW="1")

    assert (world.acquire("topic").path / "NEW").exists()


def test_a_history_that_git_finds_faulty_is_not_cloned_again(world: World) -> None:
    """H02: a commit with a time zone that is none, in a sound clone."""
    path = world.remote()
    files = git(path, "rev-parse", "main^{tree}")
    parent = git(path, "rev-parse", "main")
    who = "Old <old@example.org> 1000000000 +051800"
    commit = f"tree {files}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nOld\n"
    (path / "old").write_text(commit)
    made = git(path, "hash-object", "-t", "commit", "-w", "--literally", "old")
    git(path, "update-ref", "refs/heads/main", made)
    world.acquire("fix")

    assert not is_broken(world.git(), world.clone(), "error: packfile is corrupt")


def test_a_worktree_whose_record_is_lost_is_found_again(world: World) -> None:
    """H03."""
    tree = world.acquire("fix").path
    record_path(tree).write_text("{")

    assert not world.acquire("fix").created
    assert '"fix"' in record_path(tree).read_text()


def test_another_worktree_on_the_branch_is_no_hindrance(world: World) -> None:
    """H03: an agent checked this branch out in the worktree of another."""
    other = world.acquire("other").path
    git(other, "checkout", "--quiet", "-b", "fix")

    assert git(world.acquire("fix").path, "branch", "--show-current") == "fix"
    assert git(world.acquire("other").path, "branch", "--show-current") == "other"


def test_hooks_and_filters_of_the_agent_do_not_run_when_its_work_is_saved(
    world: World, tmp_path: Path
) -> None:
    """H06: nothing of an agent's own may stop what keeps its work."""
    tree = world.acquire("fix").path
    ran = tmp_path / "ran"
    hooks = world.clone() / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\nexit 1\n")
        (hooks / name).chmod(0o755)
    git(world.clone(), "config", "core.fsmonitor", f"touch {ran}")
    git(tree, "-c", "core.hooksPath=/dev/null", "symbolic-ref", "HEAD", "refs/heads/x")
    (tree / "WORK").write_text("1")
    ran.unlink(missing_ok=True)

    acquired = world.acquire("fix")

    assert acquired.recovered is not None
    assert not ran.exists()
