# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A directory of skills that is written to: staged beside, put in place by rename.

What lies in the staging directory after a kill is told apart by its name: "new" was
not finished and "dead" was given up, both can go; "swap", "old" and "gone" may hold
the only version of something and are looked at by the next sync.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress

from agentd.skills.content import Copied, copy
from agentd.skills.names import is_name
from agentd.skills.tree import OPEN_DIRECTORY, SkillRefused, Tree, open_up
from agentd.skills.values import Limits

STAGING = ".agentkeep-staging"
# A user directory without it is not the one that the last sync saw.
MARK = ".agentkeep"
KEPT_BY_KILLS = ("swap", "old", "gone")

Exchange = Callable[[int, str, int, str], bool]


class Area:
    """An open directory of skills and its staging directory, made when needed.

    A durable one holds what is nowhere else: each step is on disk before the next.
    """

    def __init__(
        self, root: int, limits: Limits, exchange: Exchange, *, durable: bool
    ) -> None:
        self.root = root
        self._durable = durable
        self._limits = limits
        self._exchange = exchange
        self._staging: int | None = None
        self._removed = 0
        self.stuck: list[str] = []

    def stage(
        self,
        name: str,
        source: tuple[int, str],
        tree: Tree,
        *,
        label: str = "swap",
    ) -> Copied:
        """Copy a skill beside its place; return what the copy holds."""
        staging = self._staged()
        fresh = f"new.{name}"
        self._remove(fresh)
        os.mkdir(fresh, 0o700, dir_fd=staging)
        try:
            target = os.open(fresh, OPEN_DIRECTORY, dir_fd=staging)
            try:
                copied = copy(source, tree, target, self._durable)
            finally:
                os.close(target)
            self._rename(fresh, f"{label}.{name}")
        except (OSError, SkillRefused):
            with suppress(OSError, SkillRefused):
                self._remove(fresh)
            raise
        return copied

    def put(self, name: str) -> str | None:
        """Put the staged skill in its place; return where the former one is now."""
        try:
            former = self._put(name)
        except OSError:
            self.restore_missing()
            self.discard(f"swap.{name}")
            raise
        if self._durable:
            os.fsync(self.root)
        return former

    def _put(self, name: str) -> str | None:
        staging = self._staged()
        swap, old = f"swap.{name}", f"old.{name}"
        if self.holds(name) and self._exchange(staging, swap, self.root, name):
            return swap
        former = None
        if self.holds(name):
            os.rename(name, old, src_dir_fd=self.root, dst_dir_fd=staging)
            former = old
        os.rename(swap, name, src_dir_fd=staging, dst_dir_fd=self.root)
        return former

    def take_out(self, name: str) -> str:
        """Move a skill out of its place; return where it is now."""
        gone = f"gone.{name}"
        staging = self._staged()
        os.rename(name, gone, src_dir_fd=self.root, dst_dir_fd=staging)
        return gone

    def unlink(self, name: str) -> None:
        """Remove what lies at that place and is no directory."""
        os.unlink(name, dir_fd=self.root)

    def move_staged(self, staged: str, directory: int, to: str) -> None:
        """Put what was staged at another place of the same file system."""
        os.rename(staged, to, src_dir_fd=self._staged(), dst_dir_fd=directory)
        os.fsync(directory)

    def discard(self, former: str) -> None:
        """Remove what was moved to the staging directory and is not needed.

        What cannot be removed is noted, and tried again by the next sync.
        """
        dead = f"dead.{secrets.token_hex(8)}"
        try:
            self._rename(former, dead)
            self._remove(dead)
        except FileNotFoundError:
            return
        except (OSError, SkillRefused) as error:
            self.stuck.append(str(error))

    def holds(self, name: str) -> bool:
        """Return whether anything lies at that place."""
        with suppress(FileNotFoundError):
            os.stat(name, dir_fd=self.root, follow_symlinks=False)
            return True
        return False

    def mark(self) -> bool:
        """Leave the mark of a directory that was synced; return whether it is there."""
        with suppress(OSError):
            if not self.holds(MARK):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                os.close(os.open(MARK, flags, 0o640, dir_fd=self.root))
                os.fsync(self.root)
            return True
        return False

    @property
    def staging(self) -> int:
        """Return the open staging directory."""
        return self._staged()

    def restore_missing(self) -> list[str]:
        """Put back what a kill took out of its place; return the names.

        Only where two names cannot be exchanged at one instant is there anything.
        """
        restored = []
        for former in self._left():
            kind, _dot, name = former.partition(".")
            if kind == "old" and is_name(name) and not self.holds(name):
                with suppress(OSError):
                    staging = self._staged()
                    os.rename(former, name, src_dir_fd=staging, dst_dir_fd=self.root)
                    restored.append(name)
        return restored

    def leftovers(self) -> list[tuple[str, str]]:
        """Return (place, skill) of what a kill left and might be the only version.

        Everything else that is left is removed.
        """
        kept = []
        for former in self._left():
            kind, _dot, name = former.partition(".")
            if kind == "old" and is_name(name) and not self.holds(name):
                self.stuck.append(f"{former} cannot be put back")
            elif kind in KEPT_BY_KILLS and is_name(name):
                kept.append((former, name))
            else:
                self.discard(former)
        return kept

    def close(self) -> None:
        """Remove the staging directory if it is empty, and close both."""
        if self._staging is not None:
            os.close(self._staging)
            self._staging = None
            with suppress(OSError):
                os.rmdir(STAGING, dir_fd=self.root)
        os.close(self.root)

    def _staged(self) -> int:
        if self._staging is None:
            with suppress(FileExistsError):
                os.mkdir(STAGING, 0o700, dir_fd=self.root)
            with suppress(OSError):
                open_up(STAGING, self.root)
            try:
                self._staging = os.open(STAGING, OPEN_DIRECTORY, dir_fd=self.root)
            except NotADirectoryError:
                os.unlink(STAGING, dir_fd=self.root)
                os.mkdir(STAGING, 0o700, dir_fd=self.root)
                self._staging = os.open(STAGING, OPEN_DIRECTORY, dir_fd=self.root)
        return self._staging

    def _left(self) -> list[str]:
        if not self.holds(STAGING):
            return []
        names = []
        with os.scandir(self._staged()) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) == self._limits.listed:
                    break
        return sorted(names)

    def _rename(self, former: str, name: str) -> None:
        staging = self._staged()
        os.rename(former, name, src_dir_fd=staging, dst_dir_fd=staging)

    def _remove(self, name: str) -> None:
        """Remove a tree of any depth: each directory is first moved to the top."""
        staging = self._staged()
        left = [name]
        while left:
            current = left.pop()
            if not _is_directory(current, staging):
                with suppress(FileNotFoundError):
                    os.unlink(current, dir_fd=staging)
                continue
            open_up(current, staging)
            opened = os.open(current, OPEN_DIRECTORY, dir_fd=staging)
            try:
                left += self._empty(opened, staging)
            finally:
                os.close(opened)
            os.rmdir(current, dir_fd=staging)

    def _empty(self, directory: int, staging: int) -> list[str]:
        moved = []
        with os.scandir(directory) as entries:
            for entry in entries:
                self._removed += 1
                if self._removed > self._limits.removed:
                    raise SkillRefused(
                        f"more than {self._limits.removed} files are to be removed; "
                        "the next sync goes on with it"
                    )
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.name, dir_fd=directory)
                    continue
                open_up(entry.name, directory)
                dead = f"dead.{secrets.token_hex(8)}"
                os.rename(entry.name, dead, src_dir_fd=directory, dst_dir_fd=staging)
                moved.append(dead)
        return moved


def _is_directory(name: str, directory: int) -> bool:
    with suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        return stat.S_ISDIR(status.st_mode)
    return False
