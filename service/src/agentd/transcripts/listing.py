# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The sessions that have a transcript, page by page."""

from __future__ import annotations

import itertools
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from agentd.transcripts.find import SUFFIX, Places, opened, project_names
from agentd.transcripts.scan import printable

MAX_PAGE = 300
MAX_NAMES = 1_000_000
_NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl")


@dataclass(frozen=True)
class Listed:
    """A session that has a transcript; of several, the one that the CLI would take."""

    session_id: str
    project: str
    bytes: int
    modified: float
    copies: int = 1

    def for_output(self) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "session_id": self.session_id,
            "project": printable(self.project),
            "bytes": self.bytes,
            "modified": self.modified,
            "copies": self.copies,
        }


def list_sessions(
    places: Places, after: str | None, limit: int
) -> tuple[list[Listed], str | None]:
    """Return the sessions after that one in order, and where the next page begins."""
    page: dict[str, Listed] = {}
    for one in _all(places.projects):
        if after is None or one.session_id > after:
            known = page.get(one.session_id)
            page[one.session_id] = one if known is None else _both(known, one, places)
        if len(page) > 4 * limit + 4:
            page = _first(page, limit + 1)
    rows = list(_first(page, limit + 1).values())
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, rows[-1].session_id if more else None


def _first(page: Mapping[str, Listed], count: int) -> dict[str, Listed]:
    return {name: page[name] for name in sorted(page)[:count]}


def _both(known: Listed, other: Listed, places: Places) -> Listed:
    taken = min(known, other, key=lambda one: (places.rank(one.project), one.project))
    return replace(taken, copies=known.copies + other.copies)


def _all(all_projects: Path) -> Iterator[Listed]:
    left = MAX_NAMES
    with suppress(OSError), opened(all_projects) as projects:
        for project in project_names(projects):
            with (
                suppress(OSError),
                opened(Path(project), projects) as directory,
                os.scandir(directory) as entries,
            ):
                for entry in itertools.islice(entries, left):
                    left -= 1
                    if _NAME.fullmatch(entry.name):
                        yield from _listed(project, entry)


def _listed(project: str, entry: os.DirEntry[str]) -> Iterator[Listed]:
    with suppress(OSError):
        found = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(found.st_mode):
            session_id = entry.name.removesuffix(SUFFIX)
            yield Listed(session_id, project, found.st_size, found.st_mtime)
