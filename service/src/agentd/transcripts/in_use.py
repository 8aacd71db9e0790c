# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Which files some process here holds open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

MAX_DESCRIPTORS = 100_000

Identity = tuple[int, int]


def open_files() -> frozenset[Identity]:
    """Return device and inode of every file that is open, as far as one may look."""
    found: set[Identity] = set()
    for number, path in enumerate(_descriptors()):
        if number == MAX_DESCRIPTORS:
            break
        with suppress(OSError):
            status = os.stat(path)
            found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _descriptors() -> Iterator[str]:
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) != os.getpid():
            with suppress(OSError):
                for name in os.listdir(f"/proc/{pid}/fd"):
                    yield f"/proc/{pid}/fd/{name}"
