# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The worktrees and clones that are there, page by page."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agentd.workdirs.clones import fetched_at, is_sound
from agentd.workdirs.git import Git, GitFailed
from agentd.workdirs.places import (
    RECORD,
    Places,
    TreeRecord,
    is_directory,
    names_in,
    read_record,
)
from agentd.workdirs.recovery import is_dirty

MAX_PAGE = 100
MAX_CLONES = 300


@dataclass(frozen=True)
class Listed:
    """One worktree; ``name`` orders them, and where a page ends."""

    name: str
    path: Path
    record: TreeRecord

    def for_output(self, *, held: bool, dirty: bool | None) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "name": self.name,
            "repository": str(self.record.repository),
            "branch": self.record.branch,
            "path": str(self.path),
            "used_at": self.record.used,
            "created_at": self.record.created,
            "held": held,
            "dirty": dirty,
        }


def list_trees(
    places: Places, after: str | None, limit: int
) -> tuple[list[Listed], bool]:
    """Return the worktrees after that name in order, and whether there are more."""
    names = sorted(
        name
        for forge in places.forges()
        for one in names_in(places.trees(forge))
        if one.endswith(RECORD)
        and (name := f"{forge}/{one.removesuffix(RECORD)}") > (after or "")
    )
    rows = list(itertools.islice(_rows(places, names), limit + 1))
    return rows[:limit], len(rows) > limit


def _rows(places: Places, names: list[str]) -> Iterator[Listed]:
    for name in names:
        forge, _slash, tree = name.partition("/")
        path = places.trees(forge) / tree
        record = read_record(path.with_name(f"{tree}{RECORD}"))
        if record is not None and record.repository.forge == forge:
            yield Listed(name, path, record)


def dirt_of(git: Git, tree: Path) -> bool | None:
    """Return whether a worktree has work to be saved; None if nobody can tell."""
    if not is_directory(tree):
        return False
    try:
        return is_dirty(git, tree)
    except GitFailed:
        return None


def list_clones(places: Places) -> list[Mapping[str, object]]:
    """Return the clones, up to a bound."""
    return [
        {
            "repository": f"{forge}:{owner}/{name}",
            "path": str(path),
            "fetched_at": fetched_at(path),
            "sound": is_sound(path),
        }
        for forge, owner, name, path in itertools.islice(clones(places), MAX_CLONES)
    ]


def clones(places: Places) -> Iterator[tuple[str, str, str, Path]]:
    """Yield forge, owner, name and path of every clone, in order."""
    for forge in sorted(places.forges()):
        owners = places.root / forge / "repos"
        for owner in sorted(names_in(owners)):
            for name in sorted(names_in(owners / owner)):
                if is_directory(path := owners / owner / name):
                    yield forge, owner, name, path


def is_within(path: str, tree: Path) -> bool:
    """Return whether a directory is that worktree, or lies in it."""
    return path == str(tree) or path.startswith(f"{tree}{os.sep}")
