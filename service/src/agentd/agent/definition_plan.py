# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What happens to each file of a definition in its work directory: digests alone.

The definition is what was uploaded: what the agent edited of it is kept beside, and
what the agent made itself is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

# What is there and is no file that could be read: it equals nothing.
OTHER = "?"
SKILLS, CLI_SKILLS = "skills/", ".claude/skills/"


class Act(StrEnum):
    """What happens to one file."""

    PUT = "put"
    KEEP_AND_PUT = "keep and put"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True)
class Step:
    """One file of the work directory, and what happens to it."""

    path: str
    act: Act

    @property
    def puts(self) -> bool:
        """Return whether the definition's file is written there."""
        return self.act in (Act.PUT, Act.KEEP_AND_PUT)


def places_of_files(paths: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return where each file goes, with its own path and its digest.

    The CLI looks for skills in .claude/skills; those that lie there win.
    """
    placed: dict[str, tuple[str, str]] = {}
    for path in sorted(paths, reverse=True):
        if path.startswith(SKILLS):
            placed[CLI_SKILLS + path.removeprefix(SKILLS)] = (path, paths[path])
    for path in paths:
        if not path.startswith(SKILLS):
            placed[path] = (path, paths[path])
    # A file in the place of a directory of others would take turns with them.
    above = {parent for path in placed for parent in _parents(path)}
    return {path: one for path, one in placed.items() if path not in above}


def _parents(path: str) -> Iterator[str]:
    above, slash, _name = path.rpartition("/")
    while slash:
        yield above
        above, slash, _name = above.rpartition("/")


def plan(
    wanted: Mapping[str, str],
    known: Mapping[str, tuple[str, ...]],
    present: Mapping[str, str],
) -> list[Step]:
    """Return the steps, removals first: what goes may lie where something comes.

    Wanted are the digests of the definition, known those that were put there before,
    present what is there now.
    """
    return [*_leaving(wanted, known, present), *_coming(wanted, known, present)]


def _leaving(
    wanted: Mapping[str, str],
    known: Mapping[str, tuple[str, ...]],
    present: Mapping[str, str],
) -> Iterator[Step]:
    for path in sorted(known):
        if path in wanted or path not in present:
            continue
        ours = present[path] in known[path]
        yield Step(path, Act.REMOVE if ours else Act.KEEP)


def _coming(
    wanted: Mapping[str, str],
    known: Mapping[str, tuple[str, ...]],
    present: Mapping[str, str],
) -> Iterator[Step]:
    for path in sorted(wanted):
        found = present.get(path)
        if found == wanted[path]:
            continue
        ours = found is None or found in known.get(path, ())
        yield Step(path, Act.PUT if ours else Act.KEEP_AND_PUT)
