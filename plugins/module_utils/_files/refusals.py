# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a step in the file system was refused, and what to do about it."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Iterator

from .._errors import FileSystemFailed, UnsafePath

REMEDIES = {
    errno.EPERM: "Run the play as root (become: true).",
    errno.EACCES: "Run the play as root (become: true).",
    errno.ENOSPC: "Free some space on its file system, then run again.",
    errno.EDQUOT: "Raise the quota of its file system, then run again.",
    errno.EROFS: "Mount its file system for writing, or choose another data root.",
}


@contextlib.contextmanager
def explained(verb: str, path: str) -> Iterator[None]:
    """Turn an operating system's refusal into an error that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise unsafe(path, "a link or a file has taken its place") from error
        raise FileSystemFailed(
            f'Cannot {verb} "{path}"',
            error.strerror or str(error),
            REMEDIES.get(error.errno or 0, "Check its file system, then run again."),
        ) from error


def nature(above: int, name: str) -> str:
    """Say what stands where a directory was expected."""
    try:
        return f'"{name}" is a link to "{os.readlink(name, dir_fd=above)}"'
    except OSError:
        return f'"{name}" is not a directory'


def unsafe(path: str, why: str) -> UnsafePath:
    """Return the error for something that stands where a directory should."""
    return UnsafePath(
        f'Cannot use "{path}"',
        why,
        "Find out who put it there, move it away, then run again; links are never "
        "followed.",
    )
