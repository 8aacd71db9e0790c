# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Find a session's transcript without following links, and prove what it holds."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agentd.transcripts.judge import parse
from agentd.transcripts.key import nearness, project_key
from agentd.transcripts.lines import MAX_LINE_BYTES
from agentd.workdirs.names import RepositoryName, tree_path

BLOCK_BYTES = 64 * 1024
MAX_TAIL_BYTES = 32 * 1024 * 1024
MAX_HEAD_BYTES = 32 * 1024 * 1024
MAX_PROJECTS = 10_000
# Each is held open: a tree full of copies must not use up the descriptors.
MAX_COPIES = 16
SUFFIX = ".jsonl"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: a planted FIFO must not stop the caller.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_FILE = (errno.ELOOP, errno.ENXIO, errno.ENODEV)


@dataclass(frozen=True)
class Places:
    """Where the CLI keeps its sessions, and in which directory it works.

    With definitions, it works in a directory of that one for each of them, and for a
    branch of a repository in a worktree below ``workdirs``.
    """

    config_directory: Path
    working_directory: Path
    definitions: Path | None = None
    workdirs: Path | None = None

    @property
    def projects(self) -> Path:
        """Return the directory of all projects."""
        return self.config_directory / "projects"

    @property
    def own_project(self) -> str:
        """Return the key of the project that the CLI works in."""
        return project_key(self.working_directory)

    def project_of(
        self, definition: str | None, tree: tuple[RepositoryName, str] | None = None
    ) -> str:
        """Return the key of the project of a definition, or of a branch's worktree."""
        if tree is not None and self.workdirs is not None:
            return project_key(tree_path(self.workdirs, *tree))
        if definition is None or self.definitions is None:
            return self.own_project
        return project_key(self.definitions / definition)

    @cached_property
    def _others(self) -> tuple[str, ...]:
        """Return what the keys of definitions' and worktrees' projects begin with."""
        below = (self.definitions, self.workdirs)
        return tuple(f"{project_key(one)}-" for one in below if one)

    def rank(self, project: str) -> int:
        """Return 0 for the own project, 1 for one that may be, 2 for every other."""
        if project.startswith(self._others):
            return 1
        return nearness(project, self.own_project)


@dataclass(frozen=True)
class Found:
    """A name that a session's transcript has, open if it can be read."""

    project: str
    file: int = -1
    refusal: str = ""


@dataclass(frozen=True)
class TranscriptState:
    """What is on disk of a session."""

    exists: bool
    size: int = 0
    holds: bool = False
    path: str = ""
    copies: int = 0
    foreign: bool = False


def transcript_state(
    config_directory: Path,
    working_directory: Path,
    session_id: str,
    uuid: str | None,
    definitions: Path | None = None,
) -> TranscriptState:
    """Return what is on disk of a session of those directories."""
    places = Places(config_directory, working_directory, definitions)
    return session_state(places, session_id, uuid)


def session_state(places: Places, session_id: str, uuid: str | None) -> TranscriptState:
    """Return what is on disk of a session, and whether a line has that uuid.

    The transcript in the working directory's own project comes first. Without a
    uuid, it is told whether all its lines are of other sessions.
    """
    with transcripts_of(places, session_id) as found:
        files = [one for one in found if one.file >= 0]
        if not files:
            return TranscriptState(exists=False)
        size = os.fstat(files[0].file).st_size
        return TranscriptState(
            exists=size > 0,
            size=size,
            holds=uuid is not None and _holds(files[0].file, size, uuid),
            path=str(path_of(places, files[0].project, session_id)),
            copies=len(files),
            foreign=uuid is None and _is_foreign(files[0].file, size, session_id),
        )


def path_of(places: Places, project: str, session_id: str) -> Path:
    """Return where a project keeps the session."""
    return places.projects / project / f"{session_id}{SUFFIX}"


@contextmanager
def transcripts_of(places: Places, session_id: str) -> Iterator[list[Found]]:
    """Yield every transcript of the session, the own project's first; close them."""
    found: list[Found] = []
    try:
        own = places.own_project
        for one in _find(places.projects, own, f"{session_id}{SUFFIX}"):
            found.append(one)
            if len(found) == MAX_COPIES:
                break
        yield sorted(found, key=lambda one: (places.rank(one.project), one.project))
    finally:
        for one in found:
            if one.file >= 0:
                os.close(one.file)


def _find(all_projects: Path, own: str, name: str) -> Iterator[Found]:
    with suppress(OSError), opened(all_projects) as projects:
        others = (one for one in project_names(projects) if one != own)
        for project in itertools.chain((own,), others):
            with suppress(OSError), opened(Path(project), projects) as directory:
                one = _open(project, name, directory)
                if one is not None:
                    yield one


def project_names(projects: int) -> Iterator[str]:
    """Yield what lies in the open directory of all projects, up to a bound."""
    with os.scandir(projects) as entries:
        for number, entry in enumerate(entries):
            if number == MAX_PROJECTS:
                return
            yield entry.name


def _open(project: str, name: str, directory: int) -> Found | None:
    try:
        file = os.open(name, _FILE, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        is_file = error.errno not in _NO_FILE
        return Found(project, refusal="unreadable" if is_file else "not_a_file")
    if stat.S_ISREG(os.fstat(file).st_mode):
        return Found(project, file)
    os.close(file)
    return Found(project, refusal="not_a_file")


@contextmanager
def opened(path: Path, directory: int | None = None) -> Iterator[int]:
    """Yield a directory's descriptor, opened without following a link; close it."""
    descriptor = os.open(path, _DIRECTORY, dir_fd=directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _holds(file: int, size: int, uuid: str) -> bool:
    wanted = uuid.encode()
    return any(wanted in line and _is_line(line, uuid) for line in _lines(file, size))


def _is_foreign(file: int, size: int, session_id: str) -> bool:
    """Return whether sessions are named and this one is not; its first line does.

    A longer file than is read here is not accused.
    """
    wanted, rest, names_any = session_id.lower().encode(), b"", False
    for start in range(0, min(size, MAX_HEAD_BYTES), BLOCK_BYTES):
        block = rest + os.pread(file, BLOCK_BYTES, start).lower()
        if wanted in block:
            return False
        names_any |= b'"sessionid"' in block
        rest = block[-len(wanted) :]
    return names_any and size <= MAX_HEAD_BYTES


def _is_line(line: bytes, uuid: str) -> bool:
    if len(line) > MAX_LINE_BYTES:
        return False
    try:
        value = parse(line, line.decode())
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("uuid") == uuid


def _lines(file: int, size: int) -> Iterator[bytes]:
    """Yield the complete lines from the end on, within the bound."""
    pieces: list[bytes] = []
    ended = False
    end, lowest = size, max(0, size - MAX_TAIL_BYTES)
    while end > lowest:
        start = max(lowest, end - BLOCK_BYTES)
        block = os.pread(file, end - start, start)
        end = start
        *earlier, last = block.split(b"\n")
        if not earlier:
            pieces.append(last)
            continue
        if ended:
            yield last + b"".join(reversed(pieces))
        yield from reversed(earlier[1:])
        # What stands before the block's first line break belongs to earlier bytes.
        pieces, ended = [earlier[0]], True
    if ended and lowest == 0:
        yield b"".join(reversed(pieces))
