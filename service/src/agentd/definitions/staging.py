# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Put a whole directory in its place at one instant, and take one away.

It is written beside and made durable first, so that a failure or a kill leaves what
was there before. Whoever may write here is control alone; agents only read.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from agentd.definitions.values import Files
from agentd.skills.kernel import exchange

STAGING = ".staging-{}"
OLD = "old."
DIRECTORY_MODE = 0o755
FILE_MODE = 0o644
PROGRAM_MODE = 0o755
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Staging:
    """The directory beside another one, on the same file system."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory.with_name(STAGING.format(directory.name))

    def clear(self) -> None:
        """Put back what a kill took away half-way, and remove all that it left."""
        with suppress(FileNotFoundError):
            for name in os.listdir(self._path):
                place = self._directory / name.removeprefix(OLD)
                if name.startswith(OLD) and not os.path.lexists(place):
                    os.rename(self._path / name, place)
                    continue
                self._remove(self._path / name)

    def write(self, files: Files) -> Path:
        """Write the files beside, durable; return where."""
        self._make()
        fresh = self._path / f"new.{secrets.token_hex(8)}"
        try:
            _make_directory(fresh)
            for path, content in files.items():
                above = fresh
                for part in path.split("/")[:-1]:
                    above = above / part
                    if not above.is_dir():
                        _make_directory(above)
                mode = PROGRAM_MODE if content.runs else FILE_MODE
                write_file(fresh / path, content.data, mode)
            for directory, _names, _files in os.walk(fresh):
                sync_directory(Path(directory))
        except BaseException:
            self._remove(fresh)
            raise
        return fresh

    def put(self, fresh: Path, place: Path) -> None:
        """Put what was written where nothing is; raise FileExistsError if it is taken.

        A rename takes an empty directory's place too, and no other's.
        """
        try:
            _make_above(place.parent)
            if os.path.lexists(place):
                raise FileExistsError(str(place))
            os.rename(fresh, place)
            sync_directory(place.parent)
        except BaseException:
            self._remove(fresh)
            raise

    def replace(self, fresh: Path, place: Path) -> None:
        """Put what was written in the place of what is there."""
        try:
            with _opened(fresh.parent) as beside, _opened(place.parent) as above:
                swapped = exchange(beside.number, fresh.name, above.number, place.name)
            old = fresh
            if not swapped:
                old = self._path / f"{OLD}{place.name}"
                os.rename(place, old)
                os.rename(fresh, place)
            sync_directory(place.parent)
        except BaseException:
            self.clear()
            raise
        self._remove(old)

    def take_away(self, place: Path) -> None:
        """Remove what is at a place: at one instant, then all that it held."""
        self._make()
        gone = self._path / f"gone.{secrets.token_hex(8)}"
        os.rename(place, gone)
        sync_directory(place.parent)
        self._remove(gone)

    def _make(self) -> None:
        with suppress(FileExistsError):
            os.mkdir(self._path, 0o700)

    def _remove(self, path: Path) -> None:
        """Remove it, whatever it is; what stays is removed at the next start."""
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


class _opened:
    """A directory's descriptor, closed at the end."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, _DIRECTORY)

    def __enter__(self) -> _opened:
        return self

    def __exit__(self, *details: object) -> None:
        os.close(self.number)


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet, durable and with exactly that mode."""
    opened = os.open(path, _CREATE, 0o600)
    with open(opened, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fchmod(opened, mode)
        os.fsync(opened)


def sync_directory(path: Path) -> None:
    """Make durable which names a directory holds."""
    with _opened(path) as directory:
        os.fsync(directory.number)


def _make_above(path: Path) -> None:
    """Make the directory of all definitions, or of all skills."""
    with suppress(FileExistsError):
        _make_directory(path)
        sync_directory(path.parent)


def _make_directory(path: Path) -> None:
    os.mkdir(path, DIRECTORY_MODE)
    # The umask keeps others out; agents have to read it.
    os.chmod(path, DIRECTORY_MODE)
