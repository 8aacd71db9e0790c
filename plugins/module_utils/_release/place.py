# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a deployment, written, copied and removed by directory descriptors.

Paths are below the data root. Some of their directories belong to agents, so that
nothing is reached through a link and only regular files are read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Iterator

from .._errors import FileSystemFailed, UnsafePath
from .._files.descent import PLAIN, Status
from .._files.refusals import explained
from .._files.tree import Tree

READ_BYTES = 1024 * 1024
MOST_BYTES = 16 * READ_BYTES
PRIVATE = Status(uid=0, gid=0, mode=0o700)


@dataclass(frozen=True)
class FileState:
    """Hold a regular file: owner, mode and what it holds."""

    uid: int
    gid: int
    mode: int
    content: bytes

    @property
    def digest(self) -> str:
        """Return the hash of what it holds."""
        return hashlib.sha256(self.content).hexdigest()


class Place:
    """Work in the directories of a deployment."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def exists(self, path: str) -> bool:
        """Return whether something of that name is there, even a link."""
        directory, name = self._above(path)
        if directory is None:
            return False
        try:
            os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def file(self, path: str) -> FileState | None:
        """Return a regular file, or None if there is nothing."""
        directory, name = self._above(path)
        if directory is None:
            return None
        with explained("read", self.shown(path)):
            try:
                descriptor = os.open(name, os.O_RDONLY | PLAIN, dir_fd=directory)
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                self._demand_regular(found, path)
                content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise FileSystemFailed(
                f'Cannot read "{self.shown(path)}"',
                f"it is larger than {MOST_BYTES} bytes",
                "Move it away, then run again.",
            )
        return FileState(
            uid=found.st_uid,
            gid=found.st_gid,
            mode=stat.S_IMODE(found.st_mode),
            content=content,
        )

    def write(self, path: str, state: FileState) -> None:
        """Put a file in place, all of it or nothing, with its owner and mode."""
        with self._draft(path) as descriptor, os.fdopen(descriptor, "wb") as file:
            file.write(state.content)
            file.flush()
            os.fchown(descriptor, state.uid, state.gid)
            os.fchmod(descriptor, state.mode)
            os.fsync(descriptor)

    def copy(self, source: str, target: str) -> None:
        """Copy a regular file of any size, with its owner and mode."""
        above, name = self._above(source)
        if above is None:
            raise self._vanished(source)
        with explained("copy", self.shown(source)):
            origin = os.open(name, os.O_RDONLY | PLAIN, dir_fd=above)
        with os.fdopen(origin, "rb") as reader:
            found = os.fstat(origin)
            self._demand_regular(found, source)
            with self._draft(target) as draft, os.fdopen(draft, "wb") as writer:
                for part in iter(lambda: reader.read(READ_BYTES), b""):
                    writer.write(part)
                writer.flush()
                os.fchown(draft, found.st_uid, found.st_gid)
                os.fchmod(draft, stat.S_IMODE(found.st_mode))
                os.fsync(draft)

    def rename(self, path: str, name: str) -> None:
        """Give what is there another name in its directory, if it is there."""
        directory, old = self._above(path)
        if directory is None:
            return
        with explained("rename", self.shown(path)):
            with contextlib.suppress(FileNotFoundError):
                os.rename(old, name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)

    def remove(self, path: str) -> bool:
        """Remove a file or a link; return whether it was there."""
        directory, name = self._above(path)
        if directory is None:
            return False
        with explained("remove", self.shown(path)):
            try:
                os.unlink(name, dir_fd=directory)
            except FileNotFoundError:
                return False
        return True

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory, none if there is no such directory."""
        directory = self.tree.directory(path)
        return () if directory is None else tuple(sorted(os.listdir(directory)))

    def regular_names(self, path: str) -> tuple[str, ...]:
        """Return the names of the regular files in a directory."""
        directory = self.tree.directory(path)
        if directory is None:
            return ()
        with os.scandir(directory) as entries:
            found = [one.name for one in entries if one.is_file(follow_symlinks=False)]
        return tuple(sorted(found))

    def starts_with(self, path: str, beginning: bytes) -> bool:
        """Return whether a regular file begins with some bytes."""
        directory, name = self._above(path)
        if directory is None:
            return False
        try:
            descriptor = os.open(name, os.O_RDONLY | PLAIN, dir_fd=directory)
        except OSError:
            return False
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return False
            return file.read(len(beginning)) == beginning

    def make_private(self, path: str) -> None:
        """Make a directory that only root may look into, and those above it."""
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            above = "/".join(parts[:end])
            if end == len(parts) or self.tree.status(above) is None:
                self.tree.put(above, PRIVATE)

    def remove_all(self, path: str) -> None:
        """Remove a directory and everything below it; links are not followed."""
        self.tree.remove_tree(path)

    def shown(self, path: str) -> str:
        """Return the whole path, for messages."""
        return f"{self.tree.root}/{path}"

    @contextlib.contextmanager
    def _draft(self, path: str) -> Iterator[int]:
        """Hold a new file that takes the place of *path* when it is complete."""
        directory, name = self._above(path)
        if directory is None:
            raise self._vanished(path)
        directory = os.dup(directory)
        draft = f".{name}.new"
        try:
            with explained("write", self.shown(path)):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(draft, dir_fd=directory)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN
                yield os.open(draft, flags, 0o600, dir_fd=directory)
                os.rename(draft, name, src_dir_fd=directory, dst_dir_fd=directory)
                os.fsync(directory)
        except BaseException:
            # On a full file system it would go on taking what it took.
            with contextlib.suppress(OSError):
                os.unlink(draft, dir_fd=directory)
            raise
        finally:
            os.close(directory)

    def _above(self, path: str) -> tuple[int | None, str]:
        above, _slash, name = path.rpartition("/")
        return self.tree.directory(above), name

    def _demand_regular(self, found: os.stat_result, path: str) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise UnsafePath(
                f'Cannot use "{self.shown(path)}"',
                "it is not a regular file",
                "Remove it, then run again.",
            )

    def _vanished(self, path: str) -> UnsafePath:
        return UnsafePath(
            f'Cannot use "{self.shown(path)}"',
            "its directory is not there",
            "Lay out the state with agentkeep.agents.state_layout, then run again.",
        )
