# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Which names a skill may have: one part of a path, visible, and not hidden."""

from __future__ import annotations

# Room for what staging and kept copies add to it.
MAX_NAME_BYTES = 200


def is_name(name: str) -> bool:
    """Return whether a skill may have that name."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    return (
        0 < length <= MAX_NAME_BYTES
        and not name.startswith(".")
        and "/" not in name
        and name.isprintable()
    )
