# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count what lies below directories as du -sb does, while an agent changes it.

Each step down is taken relative to a directory that is held open and never through a
link. What vanishes is not counted; what cannot be looked at is told.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import time
from dataclasses import dataclass
from typing import Callable, Iterator, Mapping

from .descent import DIRECTORY

# Two descriptors are held for each, of those that this process may have.
DEEPEST = 128
MOST_LINKED = 1_000_000
MOST_PROBLEMS = 10
LOOK_EACH = 1024
GONE = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ESTALE})


@dataclass
class Tally:
    """The bytes of files and directories, and the number of what is no directory."""

    bytes: int = 0
    files: int = 0


class _Cut(Exception):
    """The count met its bound."""


class _Level:
    """One directory on the way down: held open, and listed as far as one came."""

    def __init__(self, descriptor: int, path: str, tally: Tally) -> None:
        found = os.fstat(descriptor)
        self.descriptor = descriptor
        self.path = path
        self.tally = tally
        self.identity = (found.st_dev, found.st_ino)
        self.size = found.st_size
        self._listed = os.scandir(descriptor)
        self.entries: Iterator[os.DirEntry[str]] = iter(self._listed)

    def close(self) -> None:
        """Let go of the directory."""
        self._listed.close()
        os.close(self.descriptor)


class Census:
    """Counts below one directory after the other; a file of several names once.

    *parts* names the tally of each path that is counted apart from what is around it.
    """

    def __init__(
        self,
        parts: Mapping[str, str],
        seconds: float,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._parts = parts
        self._limit = seconds
        self._clock = clock or time.monotonic
        self._started = self._clock()
        self._seen = 0
        self._linked: set[tuple[int, int]] = set()
        self._untold = 0
        self._problems: list[str] = []
        self.tallies: dict[str, Tally] = {}
        self.whole = True

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what could not be counted, in sentences."""
        more = (f"And {self._untold} more of this kind.",) if self._untold else ()
        return tuple(self._problems) + more

    @property
    def seconds(self) -> float:
        """Return how long it has been counting."""
        return self._clock() - self._started

    def add(self, above: int, path: str) -> None:
        """Count the open directory, which is at *path*, with everything below it."""
        if not self.whole:
            return
        levels: list[_Level] = []
        try:
            descriptor = os.open(".", DIRECTORY, dir_fd=above)
            self._enter(levels, descriptor, path, self.tally(path))
            self._walk(levels)
        except _Cut:
            self.whole = False
        except OSError as error:
            self._note("open", path, error)
        finally:
            for level in levels:
                level.close()

    def add_file(self, above: int, name: str, path: str) -> None:
        """Count one file of an open directory, which is at *path*."""
        try:
            state = os.stat(name, dir_fd=above, follow_symlinks=False)
        except OSError as error:
            self._note("look at", path, error)
            return
        self._take(self.tally(path), state)

    def tally(self, path: str) -> Tally:
        """Return what is counted of a path that has a name in *parts*."""
        return self.tallies.setdefault(self._parts[path], Tally())

    def _walk(self, levels: list[_Level]) -> None:
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

    def _next_directory(self, level: _Level) -> tuple[str, int] | None:
        """Count files until a directory comes; return its name and size, or None."""
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
            self._take(level.tally, state)
        return None

    def _take(self, tally: Tally, state: os.stat_result) -> None:
        if state.st_nlink > 1:
            identity = (state.st_dev, state.st_ino)
            if identity in self._linked:
                return
            if len(self._linked) < MOST_LINKED:
                self._linked.add(identity)
        tally.bytes += state.st_size
        tally.files += 1

    def _descend(self, levels: list[_Level], name: str, size: int) -> None:
        above = levels[-1]
        path = f"{above.path}/{name}"
        try:
            if len(levels) >= DEEPEST:
                raise OSError(errno.ENAMETOOLONG, f"deeper than {DEEPEST} directories")
            child = os.open(name, DIRECTORY, dir_fd=above.descriptor)
        except OSError as error:
            if error.errno not in GONE:
                above.tally.bytes += size
            self._note("open", path, error)
            return
        own = self._parts.get(path)
        self._enter(
            levels, child, path, above.tally if own is None else self.tally(path)
        )

    def _enter(
        self, levels: list[_Level], descriptor: int, path: str, tally: Tally
    ) -> None:
        try:
            level = _Level(descriptor, path, tally)
        except OSError as error:
            os.close(descriptor)
            self._note("list", path, error)
            return
        if any(level.identity == one.identity for one in levels):
            level.close()
            self._tell(f'Cannot count "{path[-200:]}": it lies in itself.')
            return
        levels.append(level)
        tally.bytes += level.size
        self._demand_time()

    def _demand_time(self) -> None:
        if self.seconds >= self._limit:
            raise _Cut

    def _note(self, verb: str, path: str, error: OSError) -> None:
        """Tell what could not be counted; what vanished is nobody's concern."""
        if error.errno not in GONE:
            self._tell(f'Cannot {verb} "{path[-200:]}": {error.strerror}.')

    def _tell(self, problem: str) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(problem)
        else:
            self._untold += 1


def is_file(directory: int, name: str) -> bool:
    """Return whether an open directory has something of that name, no directory."""
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return False
    return not stat.S_ISDIR(found.st_mode)


def some_names(directory: int, most: int) -> tuple[str, ...]:
    """Return what an open directory holds, and not more than *most*."""
    with os.scandir(directory) as entries:
        return tuple(entry.name for entry in itertools.islice(entries, most))
