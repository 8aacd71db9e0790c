# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A file of a session that is written anew: beside its place, then into it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from agentd.transcripts.find import SUFFIX, Places, opened, transcripts_of

# What lies beside a session's own file: its sub-agents' transcripts.
BESIDE = re.compile(
    r"subagents(/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){1,6}\.(jsonl|meta\.json)"
)
MAX_BESIDE = 512
MAX_FILE_BYTES = 256 * 1024 * 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class DraftRefused(Exception):
    """What is asked of a draft cannot be done; the text says why."""


def is_beside(path: str) -> bool:
    """Return whether the path is one of a session's further files."""
    return len(path) <= MAX_BESIDE and BESIDE.fullmatch(path) is not None


@dataclass
class Draft:
    """An open draft in the directory where its file will lie.

    Both are held by their descriptors: nobody can put another place under them.
    """

    directory: int
    name: str
    file: int
    size: int = 0
    stamp: str = field(default_factory=lambda: f"{time.time_ns():x}")

    @property
    def draft_name(self) -> str:
        """Return what the draft is called; no session's name for the CLI."""
        return draft_name(self.name)

    def append(self, data: bytes) -> int:
        """Write more of it; return how large it is now."""
        if self.size + len(data) > MAX_FILE_BYTES:
            raise DraftRefused(f"the file has more than {MAX_FILE_BYTES} bytes.")
        view = memoryview(data)
        while view:
            view = view[os.write(self.file, view) :]
        self.size += len(data)
        return self.size

    def sync(self) -> None:
        """Make durable what was written."""
        os.fsync(self.file)

    def put_in_place(self, *, keep: bool) -> str | None:
        """Give the draft its name; return what the old file is called, if kept."""
        kept = f"{self.name.removesuffix(SUFFIX)}.{self.stamp}.replaced"
        here = {"src_dir_fd": self.directory, "dst_dir_fd": self.directory}
        has_kept = False
        if keep:
            with suppress(FileNotFoundError):
                os.link(self.name, kept, follow_symlinks=False, **here)
                has_kept = True
        os.rename(self.draft_name, self.name, **here)
        return kept if has_kept else None

    def sync_directory(self) -> None:
        """Make the name durable."""
        os.fsync(self.directory)

    def close(self) -> None:
        """Give the draft up, if it was not put in place."""
        with suppress(OSError):
            os.unlink(self.draft_name, dir_fd=self.directory)
        for descriptor in (self.file, self.directory):
            with suppress(OSError):
                os.close(descriptor)


def draft_name(name: str) -> str:
    """Return what the draft of a file is called."""
    return f".{name}.restoring"


def begin(
    places: Places, session_id: str, path: str, project: str | None = None
) -> Draft:
    """Begin the file of a session: its own if the path is empty, else one beside.

    It comes to lie where a transcript of the session lies already, else in the
    project that is named, by default that of the agent's own directory. Raise OSError.
    """
    with transcripts_of(places, session_id) as found:
        known = [one.project for one in found if one.file >= 0]
    chosen = known[0] if known else project or places.own_project
    parts = [chosen, *([session_id, *path.split("/")[:-1]] if path else [])]
    name = path.rsplit("/", maxsplit=1)[-1] if path else f"{session_id}{SUFFIX}"
    places.config_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        opened(places.config_directory) as start,
        _into(start, ["projects", *parts]) as (directory),
    ):
        with suppress(FileNotFoundError):
            os.unlink(draft_name(name), dir_fd=directory)
        file = os.open(draft_name(name), _NEW, 0o600, dir_fd=directory)
        return Draft(os.dup(directory), name, file)


@contextmanager
def _into(start: int, parts: list[str]) -> Iterator[int]:
    """Yield the directory below another, made where it is not there; no link."""
    current = os.dup(start)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=current)
            following = os.open(part, _DIRECTORY, dir_fd=current)
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)
