# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What is mounted where, as the kernel says it."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def is_mount_point(path: Path) -> bool:
    """Return whether something is mounted at the path, also from the same device."""
    place = os.fsencode(os.path.join(os.path.realpath(path.parent), path.name))
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return os.path.ismount(path)
    return any(_target(line) == place for line in lines)


def _target(line: bytes) -> bytes:
    fields = line.split(b" ")
    return _ESCAPED.sub(
        lambda match: bytes((int(match[1], 8),)), fields[4] if len(fields) > 4 else b""
    )
