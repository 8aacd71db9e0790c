# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Two names of one directory, swapped at one instant."""

from __future__ import annotations

import ctypes
import errno
import os

_RENAME_EXCHANGE = 2
_NOT_OFFERED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM})


def exchange(directory: int, name: str, other: str) -> bool:
    """Swap two names in an open directory; return False where that is not offered."""
    library = ctypes.CDLL(None, use_errno=True)
    try:
        call = library.renameat2
    except AttributeError:
        return False
    old, new = os.fsencode(name), os.fsencode(other)
    if call(directory, old, directory, new, _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_OFFERED:
        return False
    raise OSError(number, os.strerror(number), name)
