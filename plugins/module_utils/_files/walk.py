# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A walk over everything below a directory that is held open."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Iterator

from .._errors import UnsafePath
from .descent import open_child
from .refusals import explained

DEEPEST = 200


def walk(
    above: int, path: str, limits: tuple[frozenset[str], int]
) -> Iterator[tuple[int, str, os.stat_result, str]]:
    """Yield what lies below *above*: its directory, name, state and path."""
    apart, depth = limits
    if depth > DEEPEST:
        raise UnsafePath(
            f'Cannot walk "{path}"',
            f"it lies more than {DEEPEST} directories deep",
            "Flatten or remove it, then run again.",
        )
    directories = []
    with explained("list", path), os.scandir(above) as entries:
        # One by one: a directory may hold millions of files.
        for entry in entries:
            state, below = _state_of(entry), f"{path}/{entry.name}"
            if state is None or below in apart:
                continue
            yield above, entry.name, state, below
            if stat.S_ISDIR(state.st_mode):
                directories.append(entry.name)
    for name in directories:
        below = f"{path}/{name}"
        child = open_child(above, name, below)
        if child is not None:
            try:
                yield from walk(child, below, (apart, depth + 1))
            finally:
                os.close(child)


def _state_of(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def demand_one_name(found: os.stat_result, path: str) -> None:
    """Refuse a file that may lie elsewhere too."""
    if not stat.S_ISDIR(found.st_mode) and found.st_nlink > 1:
        raise UnsafePath(
            f'Cannot repair the owner of "{path}"',
            f"the file has {found.st_nlink} names, and one may lie elsewhere",
            "Remove the other names or change its owner by hand, then run again.",
        )


@contextlib.contextmanager
def held(above: int, name: str) -> Iterator[int]:
    """Hold whatever *name* is without opening or following it."""
    descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
