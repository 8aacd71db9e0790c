# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Move a tree into another one: nothing is overwritten, nothing is deleted."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from agentd.agent.hostile_files import copy_file

MAX_DEPTH = 64


def merge_tree(source: Path, destination: Path, depth: int = 0) -> None:
    """Move each entry to its place where that is free; what is not stays behind.

    Links are moved as links and never followed.
    """
    with os.scandir(source) as found:
        entries = list(found)
    for entry in entries:
        target = destination / entry.name
        if not os.path.lexists(target):
            move(Path(entry.path), target, depth)
        elif _are_directories(entry, target) and depth < MAX_DEPTH:
            with suppress(OSError):
                merge_tree(Path(entry.path), target, depth + 1)
                os.rmdir(entry.path)


def move(source: Path, target: Path, depth: int = 0) -> None:
    """Move one entry to a free place, also of another device, or leave it."""
    try:
        os.rename(source, target)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            return
    with suppress(OSError):
        if _is_real_directory(source) and depth < MAX_DEPTH:
            target.mkdir(mode=0o700)
            shutil.copystat(source, target, follow_symlinks=False)
            merge_tree(source, target, depth + 1)
            os.rmdir(source)
        elif source.is_symlink():
            target.symlink_to(os.readlink(source))
            source.unlink()
        elif stat.S_ISREG(source.lstat().st_mode):
            copy_file(source, target)
            source.unlink()


def _are_directories(entry: os.DirEntry[str], target: Path) -> bool:
    return entry.is_dir(follow_symlinks=False) and _is_real_directory(target)


def _is_real_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
