# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step down, from a directory that is held open into one below it."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass

from .refusals import explained, nature, unsafe

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PLAIN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True)
class Status:
    """Hold the owner and the permission bits of a directory."""

    uid: int
    gid: int
    mode: int


def open_child(above: int, name: str, path: str) -> int | None:
    """Open the directory *name* of *above*; return None if there is none."""
    try:
        return os.open(name, DIRECTORY, dir_fd=above)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise unsafe(path, nature(above, name)) from error
        with explained("open", path):
            raise


def status_of(descriptor: int) -> Status:
    """Return owner and mode of the directory that is held open."""
    found = os.fstat(descriptor)
    return Status(uid=found.st_uid, gid=found.st_gid, mode=stat.S_IMODE(found.st_mode))
