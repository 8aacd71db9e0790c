# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What is found where a worktree should be, and what is to be done about it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agentd.workdirs.places import is_directory, names_in

Step = Literal["add", "renew", "set_aside", "reattach", "release", "reuse"]
# What git locks a worktree with until it has all of its files.
UNFINISHED_LOCK = "initializing"
MAX_NOTE_BYTES = 4096
_BRANCH = re.compile(r"ref: refs/heads/(\S+)")
# What git leaves there while a merge, a rebase or the like is not finished.
UNFINISHED = (
    "MERGE_HEAD",
    "MERGE_MSG",
    "MERGE_MODE",
    "MERGE_AUTOSTASH",
    "SQUASH_MSG",
    "AUTO_MERGE",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "BISECT_LOG",
    "BISECT_START",
    "sequencer",
    "rebase-merge",
    "rebase-apply",
)


@dataclass(frozen=True)
class TreeState:
    """What lies at a worktree's path; ``admin`` is git's own directory for it."""

    found: Literal["nothing", "empty", "directory", "other"]
    admin: Path | None = None
    branch: str | None = None
    rebased: str | None = None
    complete: bool = True


def plan(state: TreeState, branch: str) -> Step:
    """Given what is there, return what makes it the worktree of that branch.

    A rebase of the branch itself is its own work, and goes on.
    """
    if state.found in ("nothing", "empty"):
        return "add"
    if state.found == "other":
        return "set_aside"
    if not state.complete:
        return "renew"
    if state.admin is None:
        return "reattach"
    return "reuse" if branch in (state.branch, state.rebased) else "release"


def look(tree: Path, clone: Path) -> TreeState:
    """Return what lies at a worktree's path, without asking git."""
    if not os.path.lexists(tree):
        return TreeState("nothing")
    if not is_directory(tree):
        return TreeState("other")
    if not os.listdir(tree):
        return TreeState("empty")
    admin = _admin(tree, clone)
    if admin is None:
        return TreeState("directory")
    found = _BRANCH.fullmatch(note(admin / "HEAD"))
    rebased = note(admin / "rebase-merge" / "head-name") or note(
        admin / "rebase-apply" / "head-name"
    )
    return TreeState(
        "directory",
        admin,
        found[1] if found else None,
        rebased.removeprefix("refs/heads/") or None,
        complete=note(admin / "locked") != UNFINISHED_LOCK,
    )


def _admin(tree: Path, clone: Path) -> Path | None:
    """Return git's directory for the worktree, if both lead to each other."""
    pointer = note(tree / ".git")
    admin = Path(pointer.removeprefix("gitdir: "))
    if not pointer.startswith("gitdir: /") or not note(admin / "HEAD"):
        return None
    beneath = admin.parent == clone / ".git" / "worktrees"
    back = note(admin / "gitdir") == str(tree / ".git")
    return admin if beneath and back and note(admin / "commondir") else None


def note(path: Path) -> str:
    """Return the short text of a file; empty if it is none."""
    with suppress(OSError, ValueError):
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            return os.read(file, MAX_NOTE_BYTES).decode().strip()
        finally:
            os.close(file)
    return ""


def heads(clone: Path) -> dict[str, str]:
    """Return what each of a clone's worktrees stands on, by its path."""
    directory = clone / ".git" / "worktrees"
    found = {}
    for name in names_in(directory):
        tree = note(directory / name / "gitdir").removesuffix("/.git")
        found[tree] = note(directory / name / "HEAD")
    return found
