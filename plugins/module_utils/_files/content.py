# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular files in a directory that is held open."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import IO, Iterator

from .._errors import UnsafePath
from .descent import PLAIN

PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Draft:
    """Hold how a new file is to be: its mode, and its owner unless it is ours."""

    mode: int
    owner: tuple[int, int] | None = None


def open_regular(directory: int, name: str, path: str) -> int | None:
    """Open a regular file for reading; return None if there is none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | PLAIN, dir_fd=directory)
    except FileNotFoundError:
        return None
    try:
        demand_regular(descriptor, path)
    except UnsafePath:
        os.close(descriptor)
        raise
    return descriptor


def demand_regular(descriptor: int, path: str) -> None:
    """Raise UnsafePath unless what is held open is a regular file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise UnsafePath(
            f'Cannot use "{path}"',
            "it is not a regular file",
            "Remove it, then run again.",
        )


@contextlib.contextmanager
def replacing(directory: int, name: str, draft: Draft) -> Iterator[IO[bytes]]:
    """Yield a new file that takes the place of *name* once it is whole."""
    own = f".{name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(own, dir_fd=directory)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN
    descriptor = os.open(own, flags, 0o600, dir_fd=directory)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        if draft.owner is not None:
            os.fchown(descriptor, *draft.owner)
        os.fchmod(descriptor, draft.mode)
        os.fsync(descriptor)
    os.rename(own, name, src_dir_fd=directory, dst_dir_fd=directory)
    os.fsync(directory)


def pour(source: int, target: IO[bytes]) -> None:
    """Write everything that *source* holds to *target*."""
    piece = os.read(source, PIECE_BYTES)
    while piece:
        target.write(piece)
        piece = os.read(source, PIECE_BYTES)
