# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Small secret files, of their owner alone, replaced whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
_PLAIN = os.O_NOFOLLOW | os.O_CLOEXEC


class KeptUnusable(Exception):
    """What is kept cannot be read; the text says why, and not what it holds."""


def keep(directory: Path, name: str, content: bytes) -> None:
    """Put a file in its place, durable, mode 0600 in a directory of mode 0700 (P09).

    Raise OSError; then what was there before is still there. The directory is never
    made: what lies beside its mount would be lost with the container.
    """
    with _opened(directory) as above:
        draft = f".{name}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN
        try:
            with open(os.open(draft, flags, FILE_MODE, dir_fd=above), "wb") as file:
                # The umask may have taken from it, and nothing may have added to it.
                os.fchmod(file.fileno(), FILE_MODE)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.rename(draft, name, src_dir_fd=above, dst_dir_fd=above)
        except OSError:
            with suppress(OSError):
                os.unlink(draft, dir_fd=above)
            raise
        os.fsync(above)


def read_kept(directory: Path, name: str, max_bytes: int) -> bytes | None:
    """Return what a file holds, or None if there is none; raise KeptUnusable."""
    path = directory / name
    try:
        with _opened(directory) as above:
            file = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _PLAIN, dir_fd=above)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeptUnusable(f"{path} cannot be read: {error.strerror}") from error
    with open(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise KeptUnusable(f"{path} is no regular file")
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise KeptUnusable(f"{path} is larger than {max_bytes} bytes")
    return content


def drop(directory: Path, name: str) -> bool:
    """Remove a file for good; return whether it was there."""
    with _opened(directory) as above:
        try:
            os.unlink(name, dir_fd=above)
        except FileNotFoundError:
            return False
        os.fsync(above)
        return True


def clear_drafts(directory: Path, name: str) -> None:
    """Remove what a kill in the middle of a write has left; nobody may write now."""
    with suppress(OSError), _opened(directory) as above:
        for found in os.listdir(above):
            if re.fullmatch(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}", found):
                os.unlink(found, dir_fd=above)


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | _PLAIN)
    try:
        status = os.fstat(opened)
        if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(opened, DIRECTORY_MODE)
        yield opened
    finally:
        os.close(opened)
