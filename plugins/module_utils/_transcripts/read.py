# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transcripts of a place, read as root from a tree that an agent may change."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
import time
from dataclasses import dataclass, replace
from typing import Callable, Iterable, Iterator, Sequence

from .._errors import AgentkeepError
from .._files.content import open_regular
from .._files.descent import open_child
from .._files.root import open_tree
from .access import APPEND, READ, SEARCH, Permissions, may
from .halves import Transcript
from .key import is_own
from .lines import Splitter
from .place import Place
from .verdict import DAMAGED, SOUND, UNUSABLE, Census, Fault, Verdict

NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl\Z")
BLOCK_BYTES = 256 * 1024
MOST_BYTES = 1024 * 1024 * 1024
MOST_LINES = 2_000_000
MOST_PROJECTS = 10_000
MOST_NAMES = 1_000_000


@dataclass(frozen=True)
class Bounds:
    """Hold how many transcripts of a place are judged, and for how long."""

    most: int
    seconds: float


@dataclass(frozen=True)
class Reading:
    """Hold what was found in a place, and how much could not be looked at."""

    place: Place
    transcripts: tuple[Transcript, ...] = ()
    left_out: int = 0
    error: str | None = None

    @property
    def whole(self) -> bool:
        """Return whether every transcript was judged."""
        return self.error is None and not self.left_out


@dataclass(frozen=True)
class _Name:
    """Hold a name that is one of a transcript, and where it is."""

    session: str
    project: str
    modified: float
    copies: int = 1


def read_places(
    places: Sequence[Place],
    bounds: Bounds,
    managed: bool,
    directory_of: Callable[[str], str | None],
) -> tuple[Reading, ...]:
    """Read every place; *directory_of* says where on the host a volume lies."""
    return tuple(_read_place(one, bounds, managed, directory_of) for one in places)


def _read_place(
    place: Place,
    bounds: Bounds,
    managed: bool,
    directory_of: Callable[[str], str | None],
) -> Reading:
    """Return the transcripts of a place; what fails is told in it."""
    try:
        root = directory_of(place.root) if place.volume else place.root
        if root is None:
            return Reading(place)
        tree, _missing = open_tree(root, managed and not place.volume)
        if tree is None:
            return Reading(place)
        with tree:
            projects = tree.directory(place.path)
            return (
                Reading(place) if projects is None else _read(place, projects, bounds)
            )
    except AgentkeepError as error:
        return Reading(place, error=str(error))
    except OSError as error:
        why = error.strerror or str(error)
        return Reading(place, error=f'Cannot read "{place.shown}": {why}.')


class _Listing:
    """List the names of transcripts; ``cut`` says whether a bound was met."""

    def __init__(self, projects: int, own: str | None) -> None:
        self._projects = projects
        self._own = own
        self._left = MOST_NAMES
        self.cut = False

    def names(self) -> Iterator[_Name]:
        """Yield them, the own project's first: no number of others hides it."""
        with os.scandir(self._projects) as every:
            below = [entry.name for entry in itertools.islice(every, MOST_PROJECTS + 1)]
        self.cut = len(below) > MOST_PROJECTS
        own = [] if self._own is None else [self._own]
        for project in [*own, *(one for one in below if one not in own)]:
            with contextlib.suppress(OSError, AgentkeepError), _project(
                self._projects, project
            ) as held, os.scandir(held) as entries:
                yield from self._within(project, entries)

    def _within(
        self, project: str, entries: Iterable[os.DirEntry[str]]
    ) -> Iterator[_Name]:
        for entry in entries:
            self._left -= 1
            if self._left < 0:
                self.cut = True
                return
            match = NAME.match(entry.name)
            if match is None:
                continue
            # One that is removed just now says nothing of those after it.
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                yield _Name(match.group(1), project, status.st_mtime)


def _read(place: Place, projects: int, bounds: Bounds) -> Reading:
    end = time.monotonic() + bounds.seconds
    listing = _Listing(projects, place.own)
    names = sorted(_sessions(place, listing), key=lambda one: -one.modified)
    found = []
    for name in names[: bounds.most]:
        if time.monotonic() >= end:
            break
        found.append(_transcript(place, projects, name))
    error = None
    if listing.cut:
        error = (
            f'Cannot look at all of "{place.shown}": it has more than {MOST_PROJECTS} '
            f"projects, or {MOST_NAMES} files. Remove what is no session's."
        )
    return Reading(place, tuple(found), len(names) - len(found), error)


def _sessions(place: Place, listing: _Listing) -> list[_Name]:
    """Return each session once, with the project that the CLI would take it from."""
    found: dict[str, _Name] = {}
    for name in listing.names():
        known = found.get(name.session)
        if known is None:
            found[name.session] = name
            continue
        first = min(known, name, key=lambda one: _rank(place, one))
        found[name.session] = replace(first, copies=known.copies + 1)
    return list(found.values())


def _rank(place: Place, name: _Name) -> tuple[bool, bool, float]:
    own = place.own is not None and is_own(name.project, place.own)
    return (name.project != place.own, not own, -name.modified)


@contextlib.contextmanager
def _project(projects: int, name: str) -> Iterator[int]:
    """Hold a project's directory open; raise what refuses that."""
    held = open_child(projects, name, name)
    if held is None:
        raise FileNotFoundError
    try:
        yield held
    finally:
        os.close(held)


def _transcript(place: Place, projects: int, name: _Name) -> Transcript:
    verdict = Verdict(UNUSABLE, (Fault("not_a_file"),))
    try:
        with _project(projects, name.project) as held:
            verdict = _judged(place, held, name)
    except OSError:
        verdict = Verdict(UNUSABLE, (Fault("unreadable"),))
    except AgentkeepError:
        pass
    return Transcript(
        service=place.service,
        agent=place.agent,
        session=name.session,
        path=f"{place.shown}/{name.project}/{name.session}.jsonl",
        verdict=verdict,
        modified=name.modified,
        copies=name.copies,
    )


def _judged(place: Place, held: int, name: _Name) -> Verdict:
    file_name = f"{name.session}.jsonl"
    if not stat.S_ISREG(os.stat(file_name, dir_fd=held, follow_symlinks=False).st_mode):
        return Verdict(UNUSABLE, (Fault("not_a_file"),))
    file = open_regular(held, file_name, file_name)
    if file is None:
        raise FileNotFoundError
    try:
        size = os.fstat(file).st_size
        own = place.own is None or is_own(name.project, place.own)
        if name.copies > 1 and not own:
            return Verdict(UNUSABLE, (Fault("copies", name.copies),), size)
        readable = may(place.identity, _permissions(held), SEARCH)
        if not readable or not may(place.identity, _permissions(file), READ):
            return Verdict(UNUSABLE, (Fault("unreadable"),), size)
        verdict = judge_file(file, name.session)
        if verdict.word == SOUND and not may(
            place.identity, _permissions(file), APPEND
        ):
            return replace(verdict, word=DAMAGED, faults=(Fault("not_writable"),))
        return verdict
    finally:
        os.close(file)


def _permissions(descriptor: int) -> Permissions:
    found = os.fstat(descriptor)
    return Permissions(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))


def judge_file(file: int, session: str) -> Verdict:
    """Given an open transcript, return the verdict on it as far as it goes now."""
    size = os.fstat(file).st_size
    census, splitter = Census(session), Splitter()
    left = size if size <= MOST_BYTES else -1
    while left > 0:
        block = os.read(file, min(BLOCK_BYTES, left))
        left = left - len(block) if block else 0
        for line in splitter.feed(block):
            census.take(line)
        if census.lines >= MOST_LINES:
            left = -1
    if left < 0:
        return Verdict(UNUSABLE, (Fault("too_large"),), size, census.lines)
    for line in splitter.rest():
        census.take(line)
    return census.verdict(size)
