# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file system, reached through directory descriptors and never through links.

Root works here in directories that an untrusted agent may change at any moment.
Each step is taken relative to a directory that is held open, so that a link put in
place between two steps is refused and never followed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING, Callable, Iterator

from .._errors import LockBusy, UnsafePath
from .descent import PLAIN, Status, open_child, status_of
from .refusals import explained
from .walk import demand_one_name, held, walk

if TYPE_CHECKING:
    from typing_extensions import Self


class Tree:
    """Hold a root directory open and reach directories below it by their path.

    The directories on the way to the last one used stay open, so that a run over
    sorted paths opens each directory once.
    """

    def __init__(self, root: str, descriptor: int) -> None:
        self.root = root
        self._descriptor = descriptor
        self._open: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_unused: object) -> None:
        self._close_below(0)
        os.close(self._descriptor)

    def status(self, path: str) -> Status | None:
        """Return owner and mode of the directory, or None if there is none."""
        descriptor = self._reach(path.split("/"))
        return None if descriptor is None else status_of(descriptor)

    def directory(self, path: str) -> int | None:
        """Return the open directory, which is valid until the next call, or None."""
        return self._reach([part for part in path.split("/") if part])

    def put(self, path: str, wanted: Status) -> None:
        """Make the directory if it is missing, and set its owner and mode."""
        parts = path.split("/")
        with explained("lay out", self._shown(path)):
            above = self._required(parts[:-1])
            try:
                os.mkdir(parts[-1], 0o700, dir_fd=above)
            except FileExistsError:
                pass
            except FileNotFoundError as error:
                raise self._vanished(parts[:-1]) from error
            descriptor = self._required(parts)
            found = status_of(descriptor)
            if (found.uid, found.gid) != (wanted.uid, wanted.gid):
                os.fchown(descriptor, wanted.uid, wanted.gid)
            if found != wanted:
                os.fchmod(descriptor, wanted.mode)

    def foreign(self, path: str, uid: int, apart: frozenset[str]) -> int:
        """Return how much below the directory does not belong to *uid*."""
        return sum(1 for _found in self._foreign(path, uid, apart))

    def give(self, path: str, owner: tuple[int, int], apart: frozenset[str]) -> None:
        """Give everything below the directory that belongs to others to *owner*."""
        for above, name, shown in self._foreign(path, owner[0], apart):
            with explained("give away", shown), held(above, name) as descriptor:
                demand_one_name(os.fstat(descriptor), shown)
                # The kernel resolves this to the very object that is held open.
                os.chown(f"/proc/self/fd/{descriptor}", *owner)

    def read(self, path: str, most_bytes: int) -> bytes | None:
        """Return the start of a regular file, or None if there is none."""
        *above, name = path.split("/")
        directory = self._reach(above)
        if directory is None:
            return None
        with explained("read", self._shown(path)):
            try:
                descriptor = os.open(name, os.O_RDONLY | PLAIN, dir_fd=directory)
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, "rb") as file:
                self._demand_regular(descriptor, path)
                return file.read(most_bytes)

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Replace a file by one with *content*, all of it or nothing."""
        *above, name = path.split("/")
        draft = f".{name}.new"
        with explained("write", self._shown(path)):
            directory = self._required(above)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=directory)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN
            descriptor = os.open(draft, flags, 0o600, dir_fd=directory)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            os.rename(draft, name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)

    @contextlib.contextmanager
    def locked(
        self,
        path: str,
        wait_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator[None]:
        """Hold the lock file exclusively; raise LockBusy if others keep it."""
        *above, name = path.split("/")
        flags = os.O_RDWR | os.O_CREAT | PLAIN
        with explained("lock", self._shown(path)):
            descriptor = os.open(name, flags, 0o600, dir_fd=self._required(above))
        try:
            self._demand_regular(descriptor, path)
            end = clock() + wait_seconds
            while not _try_lock(descriptor):
                if clock() >= end:
                    raise LockBusy(
                        f'Cannot lock "{self._shown(path)}"',
                        f"another run has held it for {wait_seconds:g} seconds",
                        "Wait for that run to end, then run again.",
                    )
                sleep(0.05)
            yield
        finally:
            os.close(descriptor)

    def _reach(self, parts: list[str]) -> int | None:
        shared = 0
        while shared < min(len(parts), len(self._open)):
            if self._open[shared][0] != parts[shared]:
                break
            shared += 1
        self._close_below(shared)
        for depth in range(shared, len(parts)):
            above = self._open[-1][1] if self._open else self._descriptor
            path = self._shown("/".join(parts[: depth + 1]))
            child = open_child(above, parts[depth], path)
            if child is None:
                return None
            self._open.append((parts[depth], child))
        return self._open[-1][1] if self._open else self._descriptor

    def _required(self, parts: list[str]) -> int:
        descriptor = self._reach(parts)
        if descriptor is None:
            raise self._vanished(parts)
        return descriptor

    def _vanished(self, parts: list[str]) -> UnsafePath:
        return UnsafePath(
            f'Cannot use "{self._shown("/".join(parts))}"',
            "it vanished while the run was at work",
            "Stop what removes it, then run again.",
        )

    def _foreign(
        self, path: str, uid: int, apart: frozenset[str]
    ) -> Iterator[tuple[int, str, str]]:
        top = self._reach(path.split("/"))
        if top is None:
            return
        for above, name, found, below in walk(top, self._shown(path), (apart, 0)):
            if found.st_uid != uid:
                demand_one_name(found, below)
                yield above, name, below

    def _demand_regular(self, descriptor: int, path: str) -> None:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnsafePath(
                f'Cannot use "{self._shown(path)}"',
                "it is not a regular file",
                "Remove it, then run again.",
            )

    def _close_below(self, depth: int) -> None:
        while len(self._open) > depth:
            os.close(self._open.pop()[1])

    def _shown(self, path: str) -> str:
        return f"{self.root}/{path}"


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
