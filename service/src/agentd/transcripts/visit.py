# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Walk and remove a directory by descriptors: no link is followed, no mount entered."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from agentd.transcripts.find import opened

MAX_DEPTH = 64
MAX_ENTRIES = 200_000


class Entry(NamedTuple):
    """Something in a directory that is open; ``last`` is when it was written last."""

    directory: int
    name: str
    status: os.stat_result

    @property
    def is_directory(self) -> bool:
        """Return whether it is a directory, and no link to one."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def last(self) -> float:
        """Return when it was written last."""
        return self.status.st_mtime

    @property
    def bytes(self) -> int:
        """Return how many bytes a file has; nothing else has any."""
        return self.status.st_size if stat.S_ISREG(self.status.st_mode) else 0


Deed = Callable[[Entry], None]


def look(directory: int, name: str) -> Entry | None:
    """Return what has that name in an open directory, or None."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return None
    return Entry(directory, name, status)


def visit(top: int, deed: Deed) -> None:
    """Do something with all that lies in an open directory, children first.

    What is too deep, or on another file system, is left out.
    """
    device = os.fstat(top).st_dev
    _visit(top, device, deed, [MAX_ENTRIES], 0)


def _visit(top: int, device: int, deed: Deed, left: list[int], depth: int) -> None:
    for name in _names(top, left):
        found = look(top, name)
        if found is None or found.status.st_dev != device:
            continue
        if found.is_directory and depth < MAX_DEPTH:
            with suppress(OSError), opened(Path(name), top) as inner:
                _visit(inner, device, deed, left, depth + 1)
        deed(found)


def _names(directory: int, left: list[int]) -> list[str]:
    # Whole, before anything is removed: a directory that changes while it is read
    # may leave names out.
    names = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if left[0] <= 0:
                break
            left[0] -= 1
            names.append(entry.name)
    return names


def remove(found: Entry) -> None:
    """Remove a file, a link or an empty directory; raise OSError."""
    if found.is_directory:
        os.rmdir(found.name, dir_fd=found.directory)
    else:
        os.unlink(found.name, dir_fd=found.directory)


def remove_whole(directory: int, name: str) -> int:
    """Remove what has that name with all that lies in it; return the files' bytes."""
    freed = 0

    def take(found: Entry) -> None:
        nonlocal freed
        with suppress(OSError):
            remove(found)
            freed += found.bytes

    found = look(directory, name)
    if found is None:
        return 0
    if found.is_directory:
        with suppress(OSError), opened(Path(name), directory) as inner:
            visit(inner, take)
    take(found)
    return freed
