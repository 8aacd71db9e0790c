# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What was pushed to a branch meanwhile, brought in where no work is under way."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.recovery import is_dirty


def go_forward(git: Git, tree: Path, branch: str) -> list[str]:
    """Bring a clean worktree to the forge's branch; return what was not possible."""
    state = _compare(git, tree, branch)
    if state == "diverged":
        return [f"{branch} and the forge's have both gone on."]
    if state == "behind":
        if _is_clean(git, tree):
            words = ("merge", "--ff-only", "--quiet", f"refs/remotes/origin/{branch}")
            if git.ask(tree, *words).status == 0:
                return []
        return [f"The forge's {branch} has gone on."]
    return []


def _is_clean(git: Git, tree: Path) -> bool:
    try:
        return not is_dirty(git, tree)
    except GitFailed as error:
        # A submodule whose clone is gone, say: that is for its agent to see to.
        if error.given_up:
            raise
        return False


def _compare(
    git: Git, tree: Path, branch: str
) -> Literal["level", "ahead", "behind", "diverged"]:
    names = (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}")
    listed = git.run(tree, "for-each-ref", "--format=%(refname) %(objectname)", *names)
    found = dict(line.split(" ", 1) for line in listed.splitlines())
    ours, theirs = (found.get(name) for name in names)
    if ours is None or theirs is None or ours == theirs:
        return "level"
    words = ("rev-list", "--left-right", "--count", "...".join(names))
    more, missing = git.run(tree, *words).split()
    if missing == "0":
        return "ahead"
    return "behind" if more == "0" else "diverged"
