# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a path of the host really leads, step by step, and who could change that."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from typing import Callable

from .._mounts.host import FoundPath, HostFacts, Passed

HOLD = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
MOST_LINKS = 40
FIRST_PERSON, LAST_PERSON = 1000, 60000


class HostPaths:
    """Ask this host's file system; nothing is opened but what is read."""

    def resolve(self, path: str) -> FoundPath:
        """Return where *path* really leads, by the directories that it passes."""
        walk = _Walk(path)
        try:
            return walk.found()
        except FileNotFoundError:
            return FoundPath(path, walk.place, "missing", way=tuple(walk.way))
        except OSError as error:
            fault = f'"{path}" cannot be followed: {error.strerror or error}'
            return FoundPath(path, walk.place, "other", fault=fault)
        finally:
            walk.close()

    def read(self, path: str, limit_bytes: int) -> str:
        """Return the text of a regular file; raise OSError or ValueError."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ValueError("it is no file")
            content = file.read(limit_bytes + 1)
        if len(content) > limit_bytes:
            raise ValueError(f"it is larger than {limit_bytes} bytes")
        return content.decode("utf-8")

    def facts(self) -> HostFacts:
        """Return the home directories of root and of people, and who asks."""
        homes = {"/root"}
        for one in pwd.getpwall():
            person = one.pw_uid == 0 or FIRST_PERSON <= one.pw_uid <= LAST_PERSON
            if person and one.pw_dir not in ("", "/"):
                homes.update((one.pw_dir, os.path.realpath(one.pw_dir)))
        return HostFacts(homes=tuple(sorted(homes)), user=os.geteuid())


class _Walk:
    """Follow a path from the root, holding every directory on the way to it."""

    def __init__(self, path: str) -> None:
        self._requested = path
        self._pending = [part for part in path.split("/") if part]
        self._held = [os.open("/", HOLD)]
        self._names: list[str] = []
        self._links = 0
        self.way: list[Passed] = []

    @property
    def place(self) -> str:
        """Return how far the walk has come, and what is left of the path."""
        return "/" + "/".join([*self._names, *self._pending])

    def found(self) -> FoundPath:
        """Walk to the end and return what lies there."""
        while self._pending:
            name = self._pending[0]
            if name in (".", ".."):
                self._pending.pop(0)
                if name == ".." and self._names:
                    self._names.pop()
                    os.close(self._held.pop())
                continue
            self._step(name)
        state = os.fstat(self._held[-1])
        return FoundPath(
            requested=self._requested,
            resolved=self.place,
            kind=_kind(state.st_mode),
            uid=state.st_uid,
            gid=state.st_gid,
            mode=stat.S_IMODE(state.st_mode),
            way=tuple(self.way),
        )

    def close(self) -> None:
        """Let go of every directory."""
        for descriptor in self._held:
            os.close(descriptor)

    def _step(self, name: str) -> None:
        above = os.fstat(self._held[-1])
        child = os.open(name, HOLD, dir_fd=self._held[-1])
        state = os.fstat(child)
        self.way.append(
            Passed(
                path="/" + "/".join(self._names),
                uid=above.st_uid,
                gid=above.st_gid,
                mode=stat.S_IMODE(above.st_mode),
                child_uid=state.st_uid,
                nameless=_nameless(above.st_uid, above.st_gid, state.st_uid),
            )
        )
        self._pending.pop(0)
        if not stat.S_ISLNK(state.st_mode):
            self._held.append(child)
            self._names.append(name)
            return
        try:
            target = os.readlink("", dir_fd=child)
        finally:
            os.close(child)
        self._links += 1
        if self._links > MOST_LINKS:
            raise OSError(40, "it leads through too many links")
        self._pending = [part for part in target.split("/") if part] + self._pending
        if target.startswith("/"):
            while self._names:
                self._names.pop()
                os.close(self._held.pop())


def _nameless(uid: int, gid: int, child_uid: int) -> tuple[str, ...]:
    """Return which of the ids this host has no name for."""
    asked = (
        ("uid", pwd.getpwuid, uid),
        ("gid", grp.getgrgid, gid),
        ("child_uid", pwd.getpwuid, child_uid),
    )
    return tuple(label for label, ask, number in asked if not _has_name(ask, number))


def _has_name(ask: Callable[[int], object], number: int) -> bool:
    try:
        ask(number)
    except KeyError:
        return False
    return True


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) else "other"
