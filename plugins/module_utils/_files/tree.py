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
import time
from typing import TYPE_CHECKING, Callable, Iterator

from .._errors import LockBusy, UnsafePath
from .content import Draft, demand_regular, open_regular, pour, replacing
from .descent import PLAIN, Status, open_child, status_of
from .refusals import explained
from .removal import Removal
from .trust import FORGED, demand_trusted
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

    def foreign(
        self,
        path: str,
        uid: int,
        apart: frozenset[str],
        stale: frozenset[int] = frozenset(),
    ) -> int:
        """Return how much below the directory is another user's or a stale group's."""
        return sum(1 for _found in self._foreign(path, uid, apart, stale))

    def give(
        self,
        path: str,
        owner: tuple[int, int],
        apart: frozenset[str],
        stale: frozenset[int] = frozenset(),
    ) -> None:
        """Give everything below the directory that belongs to others to *owner*."""
        for above, name, shown in self._foreign(path, owner[0], apart, stale):
            with explained("give away", shown), held(above, name) as descriptor:
                demand_one_name(os.fstat(descriptor), shown)
                # The kernel resolves this to the very object that is held open.
                os.chown(f"/proc/self/fd/{descriptor}", *owner)

    def read(self, path: str, most_bytes: int) -> bytes | None:
        """Return the start of a regular file of root's, or None if there is none."""
        *above, name = path.split("/")
        directory = self._reach(above)
        if directory is None:
            return None
        with explained("read", self._shown(path)):
            descriptor = open_regular(directory, name, self._shown(path))
            if descriptor is None:
                return None
            with os.fdopen(descriptor, "rb") as file:
                owner = os.fstat(descriptor).st_uid
                demand_trusted(owner, self._shown(path), FORGED)
                return file.read(most_bytes)

    def file_status(self, path: str) -> Status | None:
        """Return owner and mode of a regular file, or None if there is none."""
        *above, name = path.split("/")
        directory = self._reach(above)
        if directory is None:
            return None
        with explained("read", self._shown(path)):
            descriptor = open_regular(directory, name, self._shown(path))
        if descriptor is None:
            return None
        try:
            return status_of(descriptor)
        finally:
            os.close(descriptor)

    def names(self, path: str) -> tuple[str, ...]:
        """Return what the directory holds, sorted; nothing if there is none."""
        directory = self._reach(path.split("/") if path else [])
        with explained("list", self._shown(path)):
            return () if directory is None else tuple(sorted(os.listdir(directory)))

    def write(
        self,
        path: str,
        content: bytes,
        mode: int,
        owner: tuple[int, int] | None = None,
    ) -> None:
        """Replace a file by one with *content*, all of it or nothing."""
        *above, name = path.split("/")
        with explained("write", self._shown(path)):
            draft = Draft(mode, owner)
            with replacing(self._required(above), name, draft) as file:
                file.write(content)

    def copy(self, path_from: str, path_to: str) -> None:
        """Replace a file by a copy of another one, with its owner and mode."""
        *above, name = path_from.split("/")
        with explained("copy", self._shown(path_from)):
            directory = self._required(above)
            source = open_regular(directory, name, self._shown(path_from))
            if source is None:
                raise self._vanished([*above, name])
        try:
            found = status_of(source)
            draft = Draft(found.mode, (found.uid, found.gid))
            *above, name = path_to.split("/")
            with explained("write", self._shown(path_to)), replacing(
                self._required(above), name, draft
            ) as file:
                pour(source, file)
        finally:
            os.close(source)

    def remove(self, path: str) -> bool:
        """Remove a file or a link; return whether there was one."""
        *above, name = path.split("/")
        directory = self._reach(above)
        if directory is None:
            return False
        with explained("remove", self._shown(path)):
            try:
                os.unlink(name, dir_fd=directory)
            except FileNotFoundError:
                return False
        return True

    def remove_tree(self, path: str) -> int:
        """Remove a directory with everything in it; return how much that was."""
        parts = path.split("/")
        top = self._reach(parts)
        if top is None:
            return 0
        removed = Removal(top, self._shown(path)).run()
        with explained("remove", self._shown(path)):
            os.rmdir(parts[-1], dir_fd=self._required(parts[:-1]))
        return removed + 1

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
            demand_regular(descriptor, self._shown(path))
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
        self, path: str, uid: int, apart: frozenset[str], stale: frozenset[int]
    ) -> Iterator[tuple[int, str, str]]:
        top = self._reach(path.split("/"))
        if top is None:
            return
        for above, name, found, below in walk(top, self._shown(path), (apart, 0)):
            if found.st_uid != uid or found.st_gid in stale:
                demand_one_name(found, below)
                yield above, name, below

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
