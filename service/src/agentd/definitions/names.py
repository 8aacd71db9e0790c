# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which names a definition or an uploaded skill may have.

Standard library only: the agent's side checks names by this rule too.
"""

from __future__ import annotations

import re

NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
# Words that mean no definition at all: the agent works in its own directory.
DEFAULTS = frozenset({"", "brain"})
_NAME = re.compile(NAME_PATTERN)


def is_name(name: object) -> bool:
    """Return whether a definition or a skill may have that name."""
    return (
        isinstance(name, str) and _NAME.fullmatch(name) is not None and ".." not in name
    )


def wanted(name: str | None) -> str | None:
    """Return the definition that is meant, or None for the agent's own directory."""
    return None if name is None or name in DEFAULTS else name
