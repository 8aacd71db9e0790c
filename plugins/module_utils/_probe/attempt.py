# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attempts to write to a directory that is held open; nothing of them stays."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

from .notes import Refusal

HOLD = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
HOLD_DIRECTORY = HOLD | os.O_DIRECTORY
FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Writing:
    """Write a file of some bytes below a name that nobody could have guessed."""

    name: str
    block: bytes

    def file(self, directory: int, size: int, *, durable: bool) -> Refusal | None:
        """Create, write, make durable, rename and remove a file; return what failed."""
        step = "create"
        try:
            file = os.open(self._draft, FRESH, 0o600, dir_fd=directory)
            try:
                step = "write"
                self._fill(file, size)
                if durable:
                    step = "fsync"
                    os.fsync(file)
            finally:
                os.close(file)
            step = "rename"
            os.rename(
                self._draft, self.name, src_dir_fd=directory, dst_dir_fd=directory
            )
            step = "unlink"
            os.unlink(self.name, dir_fd=directory)
        except OSError as error:
            self.sweep(directory)
            return Refusal(step, error.errno or 0)
        return None

    def directory(self, directory: int) -> Refusal | None:
        """Make and remove a directory; return what failed."""
        try:
            os.mkdir(self.name, 0o700, dir_fd=directory)
            os.rmdir(self.name, dir_fd=directory)
        except OSError as error:
            self.sweep(directory)
            return Refusal("mkdir", error.errno or 0)
        return None

    def sweep(self, directory: int) -> None:
        """Remove what an attempt that was killed left."""
        for name in (self._draft, self.name):
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=directory)
        with contextlib.suppress(OSError):
            os.rmdir(self.name, dir_fd=directory)

    @property
    def _draft(self) -> str:
        return f"{self.name}.new"

    def _fill(self, file: int, size: int) -> None:
        while size > 0:
            size -= os.write(file, self.block[:size])


@dataclass(frozen=True)
class Sweeping(Writing):
    """Write nothing; only remove what an attempt of that name left."""

    def file(self, directory: int, size: int, *, durable: bool) -> Refusal | None:
        """Remove the file."""
        self.sweep(directory)
        return None

    def directory(self, directory: int) -> Refusal | None:
        """Remove the directory."""
        self.sweep(directory)
        return None


def reopened(held: int, flags: int, own: int) -> int:
    """Open what is held; *own* is this process's /proc/self/fd, held open.

    The kernel leads to the very object, whatever its name stands for meanwhile.
    """
    return os.open(str(held), flags | os.O_CLOEXEC, dir_fd=own)
