# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which directory a name means: the API and the agent's side both ask here.

Uploaded comes before built-in. Standard library only: the agent's side imports it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentd.definitions.names import is_name, wanted

_ABSENT = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL}
)
UPLOADED = "uploaded"
BUILT_IN = "built-in"
DEFINITION_FILE = "CLAUDE.md"
SKILL_FILE = "SKILL.md"
UNKNOWN = (
    'There is no definition "{name}" here: the agent works in its own directory. '
    "Upload the definition, or name one that GET /api/registry/agents lists."
)
GONE = (
    'There is no definition "{name}" here: the session goes on where it began, with '
    "the files that were put there. Upload the definition again to have it."
)


@dataclass(frozen=True)
class Tiers:
    """The two directories in which there are definitions, or skills."""

    uploaded: Path
    built_in: Path

    def in_order(self) -> tuple[tuple[str, Path], ...]:
        """Return both with their names, the one that wins first."""
        return (UPLOADED, self.uploaded), (BUILT_IN, self.built_in)


@dataclass(frozen=True)
class Resolved:
    """What a name means: a directory of a tier, or the agent's own with a reason."""

    path: Path | None = None
    tier: str | None = None
    warning: str | None = None


def resolve(tiers: Tiers, name: str | None) -> Resolved:
    """Return the directory that a name means (P01).

    No name, an empty one and "brain" mean the agent's own directory; so does an
    unknown one, with a warning.
    """
    meant = wanted(name)
    if meant is None:
        return Resolved()
    found = find(tiers, meant, DEFINITION_FILE)
    return found or Resolved(warning=UNKNOWN.format(name=meant))


def find(tiers: Tiers, name: str, main_file: str) -> Resolved | None:
    """Return the directory of that name, of the tier that wins, or None."""
    if is_name(name):
        for tier, directory in tiers.in_order():
            if holds(directory / name, main_file):
                return Resolved(directory / name, tier)
    return None


def holds(directory: Path, main_file: str) -> bool:
    """Return whether it is a directory of its own with its main file in it.

    Raise OSError if nobody can know: what is hidden is not absent.
    """
    return _is(directory, stat.S_ISDIR) and _is(directory / main_file, stat.S_ISREG)


def _is(path: Path, kind: Callable[[int], bool]) -> bool:
    try:
        mode = os.stat(path, follow_symlinks=False).st_mode
    except OSError as error:
        if error.errno in _ABSENT:
            return False
        raise
    return kind(mode)
