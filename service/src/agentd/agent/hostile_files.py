# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Read and write small files in places where whoever else writes may do anything."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path


class FileUnusable(Exception):
    """The path is there and holds no file that may be read; the text says why."""


def read_small(path: Path, max_bytes: int) -> bytes | None:
    """Return the file's content, or None if there is none.

    No link is followed and nothing but a regular file is read, so that it never
    waits; raise FileUnusable on anything else and on a larger file.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        file = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = "it is a link" if os.path.islink(path) else error.strerror
        raise FileUnusable(f"{path} cannot be read: {reason}") from error
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise FileUnusable(f"{path} is no regular file")
        with open(file, "rb", closefd=False) as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        raise FileUnusable(f"{path} cannot be read: {error.strerror}") from error
    finally:
        os.close(file)
    if len(content) > max_bytes:
        raise FileUnusable(f"{path} is larger than {max_bytes} bytes")
    return content


def replace_file(
    path: Path, content: bytes, mode: int = 0o640, durable: bool = True
) -> None:
    """Write a file beside its place, make it durable, and rename it there."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(beside, flags, mode)
    try:
        with open(file, "wb", closefd=False) as stream:
            stream.write(content)
        if durable:
            os.fsync(file)
        os.rename(beside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)
        raise
    finally:
        os.close(file)


def copy_file(source: Path, target: Path) -> None:
    """Copy a regular file to a place that is free, whole or not at all.

    Raise FileExistsError if the place was taken meanwhile.
    """
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with (
            open(os.open(source, flags), "rb") as read,
            open(beside, "xb") as written,
        ):
            shutil.copyfileobj(read, written)
            written.flush()
            os.fsync(written.fileno())
        shutil.copystat(source, beside, follow_symlinks=False)
        os.link(beside, target)
    finally:
        with suppress(OSError):
            os.unlink(beside)


def replace_with_link(link: Path, target: Path) -> None:
    """Put a link in its place at once; what has the draft's name is kept beside."""
    beside = link.with_name(f"{link.name}.agentkeep-link")
    if beside.is_symlink():
        beside.unlink()
    elif os.path.lexists(beside):
        set_aside(beside)
    beside.symlink_to(target)
    os.rename(beside, link)


def set_aside(path: Path) -> Path:
    """Rename what is there to a free name beside it; return that name."""
    number = 1
    while os.path.lexists(kept := path.with_name(f"{path.name}.kept-{number}")):
        number += 1
    os.rename(path, kept)
    return kept
