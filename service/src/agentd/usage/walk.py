# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Count what lies below directories as ``du -sb`` does, while others change it.

Each step down is taken relative to a directory that is held open and never through a
link, so that what is renamed meanwhile leads nowhere else. What vanishes is not
counted; what cannot be looked at is told.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

# Two descriptors are held for each, of those that this process may have.
DEEPEST = 128
MOST_LINKED = 1_000_000
MOST_PROBLEMS = 10
LOOK_EACH = 1024
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
GONE = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ESTALE})


@dataclass
class Amount:
    """The bytes of files and directories, and the number of what is no directory."""

    bytes: int = 0
    files: int = 0


@dataclass(frozen=True)
class Bounds:
    """For how long one looks, and whether somebody wants it to end before."""

    seconds: float
    stopped: Callable[[], bool] = lambda: False


class Cut(Exception):
    """The walk met a bound."""


@dataclass
class Level:
    """One directory on the way down: held open, and listed as far as one came."""

    descriptor: int
    path: str
    amount: Amount
    identity: tuple[int, int]
    entries: Iterator[os.DirEntry[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._listed = os.scandir(self.descriptor)
        self.entries = iter(self._listed)

    def close(self) -> None:
        """Let go of the directory."""
        self._listed.close()
        os.close(self.descriptor)


class Walk:
    """Counts below one directory after the other; a file of several names once.

    ``areas`` says which paths belong to another area than what is around them.
    """

    def __init__(
        self,
        areas: Mapping[str, str],
        bounds: Bounds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._areas = areas
        self._bounds = bounds
        self._clock = clock
        self._end = clock() + bounds.seconds
        self._seen = 0
        self._linked: set[tuple[int, int]] = set()
        self._untold = 0
        self._problems: list[str] = []
        self.amounts: dict[str, Amount] = {}
        self.whole = True

    @property
    def problems(self) -> list[str]:
        """Return what could not be counted, in sentences."""
        more = [f"And {self._untold} more of this kind."] if self._untold else []
        return self._problems + more

    def add(self, path: str, area: str) -> None:
        """Count a directory with everything below it; none is counted as nothing."""
        self._amount(area)
        if not self.whole:
            return
        try:
            descriptor = os.open(path, DIRECTORY)
        except FileNotFoundError:
            return
        except OSError as error:
            self._note("open", path, error, always=True)
            return
        levels: list[Level] = []
        try:
            self._enter(levels, descriptor, path, area)
            self._walk(levels)
        except Cut as error:
            self.whole = False
            self._problems.insert(0, str(error))
        finally:
            for level in levels:
                level.close()

    def _walk(self, levels: list[Level]) -> None:
        while levels:
            level = levels[-1]
            try:
                found = self._next_directory(level)
            except OSError as error:
                self._note("list", level.path, error)
                found = None
            if found is None:
                levels.pop().close()
            else:
                self._descend(levels, *found)

    def _next_directory(self, level: Level) -> tuple[str, int] | None:
        """Count files until a directory comes; return its name and size, or None."""
        amount = level.amount
        for entry in level.entries:
            self._seen += 1
            if not self._seen % LOOK_EACH:
                self._demand_time()
            try:
                state = entry.stat(follow_symlinks=False)
            except OSError as error:
                self._note("look at", f"{level.path}/{entry.name}", error)
                continue
            if stat.S_ISDIR(state.st_mode):
                return entry.name, state.st_size
            if state.st_nlink > 1 and self._is_known((state.st_dev, state.st_ino)):
                continue
            amount.bytes += state.st_size
            amount.files += 1
        return None

    def _descend(self, levels: list[Level], name: str, size: int) -> None:
        above = levels[-1]
        path = f"{above.path}/{name}"
        try:
            if len(levels) >= DEEPEST:
                raise OSError(errno.ENAMETOOLONG, f"deeper than {DEEPEST} directories")
            child = os.open(name, DIRECTORY, dir_fd=above.descriptor)
        except OSError as error:
            if error.errno not in GONE:
                above.amount.bytes += size
            self._note("open", path, error)
            return
        self._enter(levels, child, path, self._areas.get(path))

    def _enter(
        self, levels: list[Level], descriptor: int, path: str, area: str | None
    ) -> None:
        try:
            found = os.fstat(descriptor)
            identity = (found.st_dev, found.st_ino)
            if any(level.identity == identity for level in levels):
                raise OSError(errno.ELOOP, "a directory that it lies in itself")
            amount = levels[-1].amount if area is None else self._amount(area)
            levels.append(Level(descriptor, path, amount, identity))
        except OSError as error:
            os.close(descriptor)
            self._note("list", path, error, always=True)
            return
        amount.bytes += found.st_size
        self._demand_time()

    def _amount(self, area: str) -> Amount:
        return self.amounts.setdefault(area, Amount())

    def _is_known(self, identity: tuple[int, int]) -> bool:
        if identity in self._linked:
            return True
        if len(self._linked) < MOST_LINKED:
            self._linked.add(identity)
        return False

    def _demand_time(self) -> None:
        if self._bounds.stopped():
            raise Cut("Nobody waits for the end any more.")
        if self._clock() >= self._end:
            raise Cut(
                f"Not everything was counted within {self._bounds.seconds:g} s, so "
                "that there is more than is told."
            )

    def _note(
        self, verb: str, path: str, error: OSError, *, always: bool = False
    ) -> None:
        """Tell what could not be counted; what vanished is nobody's concern."""
        if error.errno in GONE and not always:
            return
        if len(self._problems) >= MOST_PROBLEMS:
            self._untold += 1
            return
        self._problems.append(f"Cannot {verb} {path[-200:]}: {error.strerror}.")
