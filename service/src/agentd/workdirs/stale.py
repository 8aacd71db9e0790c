# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Lock files of git commands that were killed, which would stop every later one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agentd.workdirs.places import is_directory, names_in, remove_directory
from agentd.workdirs.state import UNFINISHED_LOCK, note

LOCK = ".lock"
# Nobody holds one for so long, but for those that wait for an editor or a server.
HELD_SECONDS = 600.0
HELD_LONGER = frozenset({"index.lock", "shallow.lock"})


def remove_stale_locks(clone: Path, before: float) -> int:
    """Remove the locks that are older than this agent's run; return how many.

    Nothing that made them lives on: the run before ended with its container, or was
    cleared away at the start of this one. In this run, a CLI may have been killed.
    """
    removed, long_ago = 0, time.time() - HELD_SECONDS
    git = clone / ".git"
    if not is_directory(git):
        return 0
    for name in names_in(git / "worktrees"):
        _remove_unfinished(git / "worktrees" / name, before)
    for path in _locks(git):
        with suppress(OSError):
            held_longer = path.name in HELD_LONGER
            if path.lstat().st_mtime < (
                before if held_longer else max(before, long_ago)
            ):
                path.unlink()
                removed += 1
    return removed


def _remove_unfinished(admin: Path, before: float) -> None:
    """Remove what git noted of a worktree that never came to be."""
    tree = note(admin / "gitdir").removesuffix("/.git")
    if note(admin / "locked") == UNFINISHED_LOCK and not os.path.lexists(tree):
        with suppress(OSError):
            if (admin / "locked").lstat().st_mtime < before:
                remove_directory(admin)


def _locks(git: Path) -> Iterator[Path]:
    trees = git / "worktrees"
    for directory in (git, *(trees / name for name in names_in(trees))):
        for name in names_in(directory):
            if name.endswith(LOCK):
                yield directory / name
    for directory_name, _names, files in os.walk(git / "refs"):
        for name in files:
            if name.endswith(LOCK):
                yield Path(directory_name, name)
