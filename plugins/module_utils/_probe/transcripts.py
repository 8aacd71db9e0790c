# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transcripts below the CLI's projects, tried as the CLI would use them."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from dataclasses import dataclass
from typing import Iterator, Mapping, Tuple

from .attempt import HOLD, HOLD_DIRECTORY, Writing, reopened
from .notes import Notes, Refusal, Spot
from .task import MOST_NAMES, MOST_PROJECTS, MOST_TRANSCRIPTS, Place

SUFFIX = ".jsonl"
LIST = os.O_RDONLY | os.O_DIRECTORY
# As the CLI does; never waiting for what is no file.
APPEND = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK
READ = os.O_RDONLY | os.O_NONBLOCK
# How long a file that is just being made may stay empty.
SETTLE_SECONDS = 0.25
WHOLE_FILE_SYSTEM = (errno.EROFS, errno.ENOSPC, errno.EDQUOT)

# How to write, /proc/self/fd held open, and what projects itself refused.
Means = Tuple[Writing, int, "Refusal | None"]


@dataclass(frozen=True)
class File:
    """Hold one transcript: its project, its name and when it was last written to."""

    project: str
    name: str
    modified: float

    @property
    def session(self) -> str:
        """Return the session that the CLI keeps in it."""
        return self.name[: -len(SUFFIX)]


class Transcripts:
    """Try every transcript, newest first, and look for those that must be there."""

    def __init__(self, place: Place, sessions: Mapping[str, str], notes: Notes) -> None:
        self._place = place
        self._sessions = sessions
        self._notes = notes
        self._names = 0
        self.counts = {"projects": 0, "found": 0, "tried": 0}

    def look(self, projects: int, means: Means) -> None:
        """Try the projects below the directory that is held, and their transcripts."""
        found: list[File] = []
        for name in self._projects(projects, means):
            found += self._project(projects, name, means)
        found.sort(key=lambda file: -file.modified)
        known = [file for file in found if file.session in self._sessions]
        others = [file for file in found if file.session not in self._sessions]
        files = [*known, *others[:MOST_TRANSCRIPTS]]
        self.counts.update(found=len(found), tried=len(files))
        empty = self._try(projects, files, means)
        if empty:
            time.sleep(SETTLE_SECONDS)
            for file in self._try(projects, empty, means):
                self._note(file, Refusal("empty"), None)
        self.note_missing({file.session for file in known})

    def note_missing(self, present: set[str] | None = None) -> None:
        """Note every session that must be there and is not."""
        if self._names >= MOST_NAMES:
            return
        for session in sorted(set(self._sessions) - (present or set())):
            missing = File("*", f"{session}{SUFFIX}", 0)
            self._note(missing, Refusal("missing", errno.ENOENT), None)

    def _projects(self, projects: int, means: Means) -> list[str]:
        found = []
        try:
            for entry in self._listed(projects, means):
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        modified = entry.stat(follow_symlinks=False).st_mtime
                        found.append((-modified, entry.name))
        except OSError as error:
            spot = Spot("projects", self._place, self._place.path)
            refusal = Refusal("list", error.errno or 0)
            self._notes.add(spot, refusal, os.fstat(projects))
        return [name for _modified, name in sorted(found)[:MOST_PROJECTS]]

    def _project(self, projects: int, name: str, means: Means) -> list[File]:
        spot = Spot("project", self._place, f"{self._place.path}/{name}")
        files: list[File] = []
        try:
            held = os.open(name, HOLD_DIRECTORY, dir_fd=projects)
        except OSError:
            return files
        self.counts["projects"] += 1
        refusal = means[0].file(held, 0, durable=False)
        try:
            for entry in self._listed(held, means):
                if entry.name.endswith(SUFFIX):
                    with contextlib.suppress(FileNotFoundError):
                        modified = entry.stat(follow_symlinks=False).st_mtime
                        files.append(File(name, entry.name, modified))
        except OSError as error:
            refusal = Refusal("list", error.errno or 0)
        if refusal is not None and not _same_cause(refusal, means[2]):
            self._notes.add(spot, refusal, os.fstat(held))
        os.close(held)
        return files

    def _try(self, projects: int, files: list[File], means: Means) -> list[File]:
        """Note what cannot be appended to; return what is empty."""
        empty = []
        for file in files:
            held = _held(projects, file)
            if held is None:
                continue
            found = os.fstat(held)
            refusal = _refused(held, found, means[1])
            if refusal is None and found.st_size == 0:
                empty.append(file)
            elif refusal is not None and not _same_cause(refusal, means[2]):
                self._note(file, refusal, found)
            os.close(held)
        return empty

    def _note(self, file: File, refusal: Refusal, found: os.stat_result | None) -> None:
        path = f"{self._place.path}/{file.project}/{file.name}"
        session = file.session if file.session in self._sessions else None
        spot = Spot("transcript", self._place, path, session)
        self._notes.add(spot, refusal, found)

    def _listed(self, held: int, means: Means) -> Iterator[os.DirEntry[str]]:
        opened = reopened(held, LIST, means[1])
        try:
            with os.scandir(opened) as entries:
                for entry in entries:
                    self._names += 1
                    if self._names >= MOST_NAMES:
                        return
                    yield entry
        finally:
            os.close(opened)


def _held(projects: int, file: File) -> int | None:
    """Hold a transcript, whatever it is; return None if it is gone or out of reach."""
    try:
        project = os.open(file.project, HOLD_DIRECTORY, dir_fd=projects)
    except OSError:
        return None
    try:
        return os.open(file.name, HOLD, dir_fd=project)
    except OSError:
        return None
    finally:
        os.close(project)


def _refused(held: int, found: os.stat_result, own: int) -> Refusal | None:
    """Open a transcript to append to it; return what was refused."""
    if not stat.S_ISREG(found.st_mode):
        return Refusal("regular")
    try:
        os.close(reopened(held, APPEND, own))
        return None
    except OSError as error:
        appended = Refusal("append", error.errno or 0)
    try:
        os.close(reopened(held, READ, own))
        return appended
    except OSError as error:
        return Refusal("read", error.errno or 0)


def _same_cause(refusal: Refusal, known: Refusal | None) -> bool:
    """Return whether a refusal says no more than that of the whole file system."""
    same = known is not None and refusal.number == known.number
    return same and refusal.number in WHOLE_FILE_SYSTEM
