# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Two calls of the kernel that the standard library does not offer."""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress

_RENAME_EXCHANGE = 2
_NOT_OFFERED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM})
_library = ctypes.CDLL(None, use_errno=True)


def exchange(directory: int, name: str, other_directory: int, other: str) -> bool:
    """Swap two names at one instant; return False where that is not offered."""
    try:
        call = _library.renameat2
    except AttributeError:
        return False
    old, new = os.fsencode(name), os.fsencode(other)
    if call(directory, old, other_directory, new, _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_OFFERED:
        return False
    raise OSError(number, os.strerror(number), name)


def sync_filesystem(directory: int) -> None:
    """Make durable what was written to the file system of that directory."""
    with suppress(AttributeError):
        if _library.syncfs(directory) == 0:
            return
        number = ctypes.get_errno()
        if number not in _NOT_OFFERED:
            raise OSError(number, os.strerror(number))
    os.sync()
