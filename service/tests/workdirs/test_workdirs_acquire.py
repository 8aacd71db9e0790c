# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Worktrees are made once, and found again at the same path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentd.workdirs.names import RepositoryName
from agentd.workdirs.steps import Wanted

from .world import SHOP, World, git


def test_a_new_branch_begins_at_the_default_branch_in_a_place_of_its_own(
    world: World,
) -> None:
    """H01, H03."""
    acquired = world.acquire("agentkeep/issue-7")

    assert acquired.created
    assert acquired.fetched
    assert acquired.path == world.tree("agentkeep/issue-7")
    assert (acquired.path / "README").read_text() == "hello\n"
    assert git(acquired.path, "branch", "--show-current") == "agentkeep/issue-7"
    assert acquired.head == git(world.remote(), "rev-parse", "main")
    assert world.clone() == world.places.root / "forge/repos/team/shop"
    assert world.is_clean()


def test_the_second_time_leads_to_the_same_path_with_the_work_as_it_was(
    world: World,
) -> None:
    """H03: what is not committed belongs to the branch's next turn."""
    first = world.acquire("fix")
    (first.path / "README").write_text("in the midst of it\n")

    second = world.acquire("fix")

    assert (second.path, second.created) == (first.path, False)
    assert (second.path / "README").read_text() == "in the midst of it\n"
    assert second.recovered is None


def test_the_second_use_fetches_and_prunes_and_does_not_clone(world: World) -> None:
    """H01."""
    world.push("gone", OTHER="1")
    world.acquire("one")
    inode = (world.clone() / ".git").stat().st_ino
    git(world.remote(), "branch", "-D", "gone")
    world.push("main", NEW="2")

    second = world.acquire("two")

    assert (second.path / "NEW").read_text() == "2"
    assert (world.clone() / ".git").stat().st_ino == inode
    assert "origin/gone" not in git(world.clone(), "branch", "--remotes")


def test_the_clone_holds_back_the_files_that_nobody_asked_for(world: World) -> None:
    """H01: a blob filter."""
    world.push("big", BLOB="x" * 10_000)
    blob = git(world.remote(), "rev-parse", "big:BLOB")

    world.acquire("fix")

    words = ("rev-list", "--objects", "--all", "--missing=print")
    assert f"?{blob}" in git(world.clone(), *words)


def test_a_branch_that_the_forge_has_is_checked_out_as_it_is_there(
    world: World,
) -> None:
    """H03."""
    commit = world.push("feat/x", CODE="1")

    assert world.acquire("feat/x").head == commit


def test_a_new_branch_begins_at_its_base_if_that_is_there(world: World) -> None:
    """H03."""
    commit = world.push("release", CODE="1")

    based = world.acquire("one", Wanted(SHOP, "", base="release"))
    baseless = world.acquire("two", Wanted(SHOP, "", base="no-such"))

    assert based.head == commit
    assert baseless.head == git(world.remote(), "rev-parse", "main")
    assert "no-such" in " ".join(baseless.notices)


@pytest.mark.parametrize("branch", ["main", "a/b", "a__b", "ä/ö", "#7", "x" * 190])
def test_every_name_of_a_branch_has_a_worktree(world: World, branch: str) -> None:
    """H04."""
    acquired = world.acquire(branch)

    assert git(acquired.path, "symbolic-ref", "HEAD") == f"refs/heads/{branch}"
    assert acquired.path.name.isascii()
    assert not set("%/ ") & set(acquired.path.name)


def test_branches_that_look_alike_do_not_share_a_worktree(world: World) -> None:
    """H04."""
    names = ["a/b", "a__b", "a-b", "A/b"]

    paths = {world.acquire(name).path for name in names}

    assert len(paths) == len(names)
    assert world.is_clean()


def test_what_was_pushed_meanwhile_is_brought_into_a_clean_worktree(
    world: World,
) -> None:
    """H03."""
    world.push("topic", CODE="1")
    world.acquire("topic")
    commit = world.push("topic", CODE="2")

    assert world.acquire("topic").head == commit
    assert (world.tree("topic") / "CODE").read_text() == "2"


def test_what_was_pushed_meanwhile_does_not_touch_work_under_way(world: World) -> None:
    """H03."""
    old = world.push("topic", CODE="1")
    tree = world.acquire("topic").path
    (tree / "CODE").write_text("mine")
    world.push("topic", CODE="2")

    again = world.acquire("topic")

    assert again.head == old
    assert (tree / "CODE").read_text() == "mine"
    assert "gone on" in " ".join(again.notices)


def test_a_repository_without_a_commit_gets_a_worktree_for_the_first_one(
    world: World,
) -> None:
    """H03."""
    empty = RepositoryName("forge", "team", "empty")
    path = world.remote(empty)
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--bare", "--initial-branch=main")

    acquired = world.acquire("main", Wanted(empty, ""))

    (acquired.path / "FIRST").write_text("1")
    git(acquired.path, "add", "FIRST")
    git(acquired.path, "commit", "--quiet", "-m", "First")
    git(acquired.path, "push", "--quiet")
    assert git(path, "rev-list", "--count", "main") == "1"
    assert not world.acquire("main", Wanted(empty, "")).created


def test_an_agent_pushes_its_branch_without_further_words(world: World) -> None:
    """H03: to the branch of the same name."""
    tree = world.acquire("fix").path
    (tree / "NEW").write_text("1")
    git(tree, "add", "NEW")
    git(tree, "commit", "--quiet", "-m", "New")

    git(tree, "push", "--quiet")

    assert git(world.remote(), "show", "fix:NEW") == "1"


def test_all_of_it_belongs_to_the_one_who_runs_the_agent(world: World) -> None:
    """H10: so that git does not doubt whose it is."""
    world.acquire("fix")

    owners = {
        Path(directory, name).lstat().st_uid
        for directory, names, files in os.walk(world.places.root)
        for name in (*names, *files)
    }

    assert owners == {os.geteuid()}


def test_without_the_forge_the_work_goes_on_with_what_was_fetched(
    world: World, tmp_path: Path
) -> None:
    """H01."""
    world.acquire("fix")
    world.remotes.rename(tmp_path / "elsewhere")

    again = world.acquire("fix")

    assert not again.fetched
    assert "could not be fetched" in " ".join(again.notices)


def test_within_the_time_of_a_fetch_the_forge_is_not_asked(world: World) -> None:
    """H01: work.fetch_seconds."""
    world.acquire("fix")

    again = world.acquire("fix", Wanted(SHOP, "", fetch_seconds=3600))

    assert not again.fetched
