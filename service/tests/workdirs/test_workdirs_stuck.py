# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Whatever an agent left behind, its next turn gets its work directory."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from agentd.workdirs.clones import is_broken

from .world import World, git


def test_shared_locks_of_a_git_that_was_killed_are_removed_after_a_while(
    world: World,
) -> None:
    """H02: a CLI was killed, and its agent's side lives on."""
    world.acquire("fix")
    world.places = replace(world.places, started_at=time.time() - 7200)
    refs = world.clone() / ".git" / "refs"
    lock = refs / "remotes" / "origin" / "main.lock"
    lock.touch()
    then = time.time() - 3600
    os.utime(lock, (then, then))
    world.push("main", NEW="1")

    assert world.acquire("fix").notices == []


def test_an_agent_that_fetches_less_gets_all_branches_all_the_same(
    world: World,
) -> None:
    """H01."""
    tree = world.acquire("fix").path
    git(tree, "remote", "set-branches", "origin", "main")
    world.push("topic", NEW="1")

    assert (world.acquire("topic").path / "NEW").exists()


def test_a_submodule_whose_clone_is_gone_stops_no_turn(world: World) -> None:
    """H03."""
    tree = world.acquire("fix").path
    address = f"file://{world.remote()}"
    allowed = ("-c", "protocol.file.allow=always")
    git(tree, *allowed, "submodule", "--quiet", "add", address, "sub")
    git(tree, "commit", "--quiet", "--all", "-m", "sub")
    git(tree, "push", "--quiet", "origin", "fix")
    (tree / "sub" / ".git").write_text("gitdir: /nowhere\n")
    world.push("fix", NEW="1")

    (notice,) = world.acquire("fix").notices

    assert "has gone on" in notice


def test_a_default_branch_that_is_gone_makes_no_clone_a_broken_one(
    world: World,
) -> None:
    """H02."""
    world.acquire("fix")
    world.push("trunk", NEW="1")
    git(world.remote(), "symbolic-ref", "HEAD", "refs/heads/trunk")
    git(world.remote(), "branch", "-D", "main")
    world.acquire("fix")

    assert not is_broken(world.git(), world.clone(), "")
