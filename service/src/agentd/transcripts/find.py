# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Find a session's transcript without following links, and prove what it holds."""

from __future__ import annotations

import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 64 * 1024
MAX_TAIL_BYTES = 32 * 1024 * 1024
MAX_PROJECTS = 10_000
MAX_KEY_CHARACTERS = 200
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: a planted FIFO must not stop the caller.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class TranscriptState:
    """What is on disk of a session."""

    exists: bool
    size: int = 0
    holds: bool = False
    path: str = ""
    copies: int = 0


def transcript_state(
    config_directory: Path, working_directory: Path, session_id: str, uuid: str | None
) -> TranscriptState:
    """Return what is on disk of a session, and whether a line has that uuid.

    The transcript in the working directory's own project comes first.
    """
    own = project_key(working_directory)
    found = sorted(
        _find(config_directory, f"{session_id}.jsonl"), key=lambda item: item[0] != own
    )
    try:
        if not found:
            return TranscriptState(exists=False)
        project, file = found[0]
        size = os.fstat(file).st_size
        return TranscriptState(
            exists=size > 0,
            size=size,
            holds=uuid is not None and _holds(file, size, uuid),
            path=str(config_directory / "projects" / project / f"{session_id}.jsonl"),
            copies=len(found),
        )
    finally:
        for _modified, file in found:
            os.close(file)


def project_key(working_directory: Path) -> str:
    """Return the name of the directory in which the CLI keeps a project's sessions."""
    real = unicodedata.normalize("NFC", os.path.realpath(working_directory))
    key = re.sub(r"[^a-zA-Z0-9]", "-", real)
    # A longer one ends in a hash; the CLI then finds the session by its scan.
    return key[:MAX_KEY_CHARACTERS]


def _find(config_directory: Path, name: str) -> Iterator[tuple[str, int]]:
    with suppress(OSError), _opened(config_directory / "projects") as projects:
        for number, project in enumerate(os.listdir(projects)):
            if number == MAX_PROJECTS:
                return
            with (
                suppress(OSError),
                _opened(Path(project), directory=projects) as opened,
            ):
                file = os.open(name, _FILE, dir_fd=opened)
                if stat.S_ISREG(os.fstat(file).st_mode):
                    yield project, file
                else:
                    os.close(file)


class _opened:
    """A directory's descriptor, opened without following a link, then closed."""

    def __init__(self, path: Path, directory: int | None = None) -> None:
        self._path = path
        self._directory = directory

    def __enter__(self) -> int:
        self._descriptor = os.open(self._path, _DIRECTORY, dir_fd=self._directory)
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _holds(file: int, size: int, uuid: str) -> bool:
    wanted = uuid.encode()
    return any(wanted in line and _is_line(line, uuid) for line in _lines(file, size))


def _is_line(line: bytes, uuid: str) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
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
