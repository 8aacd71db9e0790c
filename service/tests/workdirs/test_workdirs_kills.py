# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Clones and worktrees whose making was killed, or took too long."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentd.workdirs.git import GitFailed
from agentd.workdirs.removal import remove_tree

from .world import SHOP, World, git

CLONER = """
import sys
from pathlib import Path
from agentd.workdirs.git import Git
from agentd.workdirs.names import RepositoryName
from agentd.workdirs.places import Places
from agentd.workdirs.steps import Wanted
from agentd.workdirs.trees import acquire
import os
places = Places(Path(sys.argv[1]), sys.argv[2])
wanted = Wanted(RepositoryName("forge", "team", "shop"), "fix")
print("began", flush=True)
acquire(places, Git(dict(os.environ), 60), wanted)
print("done", flush=True)
"""


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.02, 0.04, 0.07, 0.11, 0.16, 0.25])
def test_a_kill_in_the_midst_of_it_is_made_good_by_the_next(
    world: World, moment: float
) -> None:
    """H02: the agent's whole container is killed, at any moment."""
    world.push("main", SHOP, **{f"FILE{n}": "x" * 100 * n for n in range(50)})
    process = subprocess.Popen(
        [sys.executable, "-c", CLONER, str(world.places.root), world.places.remote],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"began\n"
    time.sleep(moment)
    kill_all_of(process)

    acquired = world.acquire("fix")

    assert (acquired.path / "FILE49").stat().st_size == 4900
    assert git(acquired.path, "status", "--porcelain") == ""
    assert world.is_clean()


KILLED_BETWEEN = """
import os, sys
clone = sys.argv[3]
def hear(event, said):
    if event == "os.rename" and str(said[1]) == clone:
        os.kill(os.getpid(), 9)
sys.addaudithook(hear)
"""


def test_a_kill_between_the_broken_clone_and_the_new_one_loses_no_commit(
    world: World,
) -> None:
    """H02: the one is moved away, the other is not in its place yet."""
    tree = world.acquire("fix").path
    (tree / "README").write_text("not pushed\n")
    git(tree, "commit", "--quiet", "--all", "-m", "Not pushed")
    commit = git(tree, "rev-parse", "HEAD")
    (world.clone() / ".git" / "HEAD").unlink()
    places = (str(world.places.root), world.places.remote, str(world.clone()))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BETWEEN + CLONER, *places], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert not world.clone().exists()
    world.push("main", NEW="1")

    acquired = world.acquire("fix")

    assert (acquired.head, acquired.healed, acquired.fetched) == (commit, True, True)
    assert git(tree, "status", "--porcelain") == ""
    assert world.is_clean()


@pytest.mark.parametrize("files", [True, False])
def test_a_worktree_that_was_killed_in_the_making_is_made_anew(
    world: World, files: bool
) -> None:
    """H03: git locks it until it has its files."""
    tree = world.acquire("fix").path
    admin = Path(git(tree, "rev-parse", "--absolute-git-dir"))
    (admin / "locked").write_text("initializing\n")
    (admin / "index").unlink()
    (tree / "README").unlink()
    if not files:
        shutil.rmtree(tree)

    acquired = world.acquire("fix")

    assert acquired.created
    assert git(tree, "status", "--porcelain") == ""
    assert world.is_clean()


def test_a_worktree_that_its_agent_locked_is_removed_and_made_again(
    world: World,
) -> None:
    """H05."""
    tree = world.acquire("fix").path
    git(tree, "worktree", "lock", str(tree))

    remove_tree(world.places, world.git(), SHOP, "fix")
    assert git(world.clone(), "worktree", "list").count("\n") == 0
    again = world.acquire("fix").path
    git(tree, "worktree", "lock", str(tree))
    shutil.rmtree(again)

    assert world.acquire("fix").created
    assert world.is_clean()


def kill_all_of(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and what it began, which has sessions of its own."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    known = [int(one) for one in children.read_text().split()]
    os.kill(process.pid, signal.SIGKILL)
    for child in known:
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate()


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_began(
    world: World,
) -> None:
    """H07."""
    began = world.git(seconds=0.5)

    with pytest.raises(GitFailed, match=r"longer than 0\.5 s"):
        began.run(world.remote(), "-c", "alias.wait=!sleep 7531 & sleep 7531", "wait")

    assert (
        "7531"
        not in subprocess.run(
            ["ps", "-eo", "args"], capture_output=True, text=True, check=True
        ).stdout
    )
