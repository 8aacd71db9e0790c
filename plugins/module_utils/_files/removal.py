# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The removal of everything below a directory that is held open."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat

from .._errors import UnsafePath
from .descent import open_child
from .refusals import explained

# A tree that is deeper is moved up piece by piece, so that the descriptors suffice.
DEEPEST = 100
MOST_ROUNDS = 10000
OCTAL = re.compile(r"\\([0-7]{3})")


class Removal:
    """Remove what lies below a directory, following no link and crossing no mount."""

    def __init__(self, top: int, path: str) -> None:
        self._top = top
        self._path = path
        self._mount = _mount_of(top)
        self.removed = 0

    def run(self) -> int:
        """Remove everything and return how much it was; raise UnsafePath."""
        for point in _mount_points():
            if point.startswith(f"{os.readlink(f'/proc/self/fd/{self._top}')}/"):
                raise _mounted(point)
        for _round in range(MOST_ROUNDS):
            before, names = self.removed, os.listdir(self._top)
            if not names:
                return self.removed
            for name in names:
                self._remove(self._top, name, (self._path, 0))
            if self.removed == before:
                break
        raise UnsafePath(
            f'Cannot empty "{self._path}"',
            "something makes new files in it all the time",
            "Stop what writes to it, then run again.",
        )

    def _remove(self, above: int, name: str, place: tuple[str, int]) -> None:
        path, depth = f"{place[0]}/{name}", place[1]
        with explained("remove", path), contextlib.suppress(FileNotFoundError):
            if not _is_directory(above, name):
                os.unlink(name, dir_fd=above)
                self.removed += 1
                return
            if depth == DEEPEST:
                aside = f".removed-{os.urandom(8).hex()}"
                os.rename(name, aside, src_dir_fd=above, dst_dir_fd=self._top)
                return
            self._empty(above, name, (path, depth))
            self.removed += _remove_directory(above, name)

    def _empty(self, above: int, name: str, place: tuple[str, int]) -> None:
        path, depth = place
        child = open_child(above, name, path)
        if child is None:
            return
        try:
            if _mount_of(child) != self._mount:
                raise _mounted(path)
            for below in os.listdir(child):
                self._remove(child, below, (path, depth + 1))
        finally:
            os.close(child)


def _is_directory(above: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)


def _remove_directory(above: int, name: str) -> int:
    try:
        os.rmdir(name, dir_fd=above)
    except OSError as error:
        # Somebody put something into it: the next round finds it.
        if error.errno != errno.ENOTEMPTY:
            raise
        return 0
    return 1


def _mount_of(descriptor: int) -> str:
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
        return next(line for line in lines if line.startswith("mnt_id:"))


def _mount_points() -> list[str]:
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        return [_plain(line.split(" ")[4]) for line in lines]


def _plain(escaped: str) -> str:
    return OCTAL.sub(lambda found: chr(int(found.group(1), 8)), escaped)


def _mounted(path: str) -> UnsafePath:
    return UnsafePath(
        f'Cannot remove "{path}"',
        "something else is mounted there",
        "Unmount it, then run again.",
    )
