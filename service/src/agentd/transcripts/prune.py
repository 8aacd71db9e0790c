# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Old transcripts with all that belongs to their sessions: listed and removed.

Which of them may go is for control to say; what was written meanwhile, or is open in
some process, stays whatever it says (I12).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from agentd.transcripts.find import SUFFIX, Places, opened, project_names
from agentd.transcripts.in_use import Identity, open_files
from agentd.transcripts.visit import Entry, look, remove_whole, visit

MAX_PAGE = 500
ID_CHARACTERS = 36
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A session's own file, the directory of its sub-agents, and what a repair or a
# restore kept beside.
_OF_SESSION = re.compile(rf"{ID}(?:\.jsonl|\.[0-9a-f]+\.(?:damaged|replaced))?")
_TAKEN = re.compile(rf"\.{ID}(?:\.[a-z0-9.]*)?\.[0-9a-f]+\.pruned")
# What the CLI keeps of a session elsewhere in its configuration.
ELSEWHERE = ("session-env", "file-history", "tasks")

Exchange = Callable[[Callable[[], None]], None]
Names = Mapping[str, list[str]]
# What it was, and the name that it has now.
Taken = tuple[Entry, str]


class InUse(Exception):
    """A session is used, or was, since it was listed."""


@dataclass(frozen=True)
class OldSession:
    """A session on disk, when any of it was written last, and what it takes."""

    session_id: str
    modified_at: float
    bytes: int


@dataclass(frozen=True)
class Page:
    """Some old sessions in order; ``following`` is where the next page begins."""

    sessions: tuple[OldSession, ...]
    following: str | None


def list_old(places: Places, before: float, after: str | None, limit: int) -> Page:
    """Return sessions behind that one of which nothing was written since then."""
    ids: set[str] = set()
    for directory, name in _named(places):
        session_id = name[:ID_CHARACTERS]
        if session_id in ids or (after is not None and session_id <= after):
            continue
        found = look(directory, name)
        if found is not None and found.last < before:
            ids.add(session_id)
        if len(ids) > 4 * limit + 4:
            ids = set(sorted(ids)[: limit + 1])
    page = sorted(ids)[:limit]
    following = page[-1] if len(ids) > limit else None
    found_of = names_of(places, page)
    old = (_whole(places, one, found_of.get(one, {})) for one in page)
    return Page(tuple(one for one in old if one.modified_at < before), following)


def names_of(places: Places, ids: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Return for each session, by project, the names of all that belongs to it."""
    found: dict[str, dict[str, list[str]]] = {one: {} for one in ids}
    for project, directory in _projects(places):
        for name in _session_names(directory):
            if (known := found.get(name[:ID_CHARACTERS])) is not None:
                known.setdefault(project, []).append(name)
    return found


@dataclass(frozen=True)
class Removal:
    """Where sessions are removed; a dry run only tells what would be."""

    places: Places
    known_open: Set[Identity]
    dry_run: bool = False


def remove_session(
    removal: Removal, wanted: OldSession, names: Names, exchange: Exchange
) -> int:
    """Remove a session as it was listed, and return the bytes that it took.

    ``exchange`` carries out a step where no CLI of the session can start meanwhile,
    or raises InUse. Raise InUse if the session is used, OSError if it cannot go.
    """
    places = removal.places
    with ExitStack() as stack:
        parts = list(_parts(places, names, stack))
        seen = _Seen(removal.known_open)
        for part in parts:
            seen.take_whole(part)
        if not parts or seen.last != wanted.modified_at or seen.is_open:
            raise InUse
        taken: list[Taken] = []
        exchange(lambda: taken.extend([] if removal.dry_run else _take_all(parts)))
        if removal.dry_run:
            return seen.bytes
        _demand_unused(taken)
        freed = sum(remove_whole(part.directory, name) for part, name in taken)
        _remove_elsewhere(places, wanted.session_id)
    return freed


def clear_taken(places: Places) -> int:
    """Remove what a killed removal took out of its place; return the bytes."""
    freed = 0
    for _project, directory in _projects(places):
        with os.scandir(directory) as entries:
            left = [one.name for one in entries if _TAKEN.fullmatch(one.name)]
        freed += sum(remove_whole(directory, name) for name in left)
    return freed


@dataclass
class _Seen:
    """What was seen of a session: its bytes, its last change, whether it is open."""

    known_open: Set[Identity] = frozenset()
    last: float = 0.0
    bytes: int = 0
    is_open: bool = False

    def take(self, found: Entry) -> None:
        self.last = max(self.last, found.last)
        self.bytes += found.bytes
        self.is_open |= (found.status.st_dev, found.status.st_ino) in self.known_open

    def take_whole(self, part: Entry) -> None:
        self.take(part)
        if part.is_directory:
            with suppress(OSError), opened(Path(part.name), part.directory) as inner:
                visit(inner, self.take)


def _whole(places: Places, session_id: str, names: Names) -> OldSession:
    seen = _Seen()
    with ExitStack() as stack:
        for part in _parts(places, names, stack):
            seen.take_whole(part)
    return OldSession(session_id, seen.last, seen.bytes)


def _projects(places: Places) -> Iterator[tuple[str, int]]:
    with suppress(OSError), opened(places.projects) as projects:
        for project in project_names(projects):
            with suppress(OSError), opened(Path(project), projects) as directory:
                yield project, directory


def _session_names(directory: int) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if _OF_SESSION.fullmatch(entry.name):
                yield entry.name


def _named(places: Places) -> Iterator[tuple[int, str]]:
    for _project, directory in _projects(places):
        for name in _session_names(directory):
            yield directory, name


def _parts(places: Places, names: Names, stack: ExitStack) -> Iterator[Entry]:
    """Yield what has these names, in directories that stay open."""
    for project, known in names.items():
        with suppress(OSError):
            directory = stack.enter_context(opened(places.projects / project))
            # The session's own file first: without it the CLI knows of no session.
            ordered = sorted(known, key=lambda name: (not name.endswith(SUFFIX), name))
            found = (look(directory, name) for name in ordered)
            yield from (one for one in found if one is not None)


def _take_all(parts: list[Entry]) -> list[Taken]:
    """Give each part a name that is no session's; raise InUse, with all put back."""
    stamp = f"{time.time_ns():x}"
    done: list[Taken] = []
    try:
        for part in parts:
            name = f".{part.name}.{stamp}.pruned"
            _demand_same(part, part.name)
            _rename(part.directory, part.name, name)
            done.append((part, name))
            # Whoever wrote between the look and the rename is seen now.
            _demand_same(part, name)
    except (InUse, OSError):
        _put_back(done)
        raise
    return done


def _demand_unused(taken: list[Taken]) -> None:
    """Raise InUse, with all put back, if somebody writes to what was taken away.

    Whoever opened it before it had another name is seen here, or is done.
    """
    known_open = open_files()
    try:
        for part, name in taken:
            if (part.status.st_dev, part.status.st_ino) in known_open:
                raise InUse
            _demand_same(part, name)
    except InUse:
        _put_back(taken)
        raise


def _demand_same(part: Entry, name: str) -> None:
    now = look(part.directory, name)
    if now is None or _identity(now) != _identity(part):
        raise InUse


def _identity(found: Entry) -> tuple[int, ...]:
    was = found.status
    return was.st_dev, was.st_ino, was.st_size, was.st_mtime_ns


def _put_back(done: list[Taken]) -> None:
    for part, name in done:
        if look(part.directory, part.name) is None:
            with suppress(OSError):
                _rename(part.directory, name, part.name)


def _rename(directory: int, name: str, other: str) -> None:
    os.rename(name, other, src_dir_fd=directory, dst_dir_fd=directory)


def _remove_elsewhere(places: Places, session_id: str) -> None:
    for area in ELSEWHERE:
        with (
            suppress(OSError),
            opened(places.config_directory / area) as directory,
        ):
            remove_whole(directory, session_id)
