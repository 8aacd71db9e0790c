# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Judge the transcript of a session as the CLI would find it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from agentd.transcripts.find import Found, Places, path_of, transcripts_of
from agentd.transcripts.lines import read_lines
from agentd.transcripts.verdict import Census, Fault, Verdict

MAX_FILE_BYTES = 1024 * 1024 * 1024
MAX_LINES = 2_000_000
RESUMABLE = ("sound", "damaged")


@dataclass(frozen=True)
class Scan:
    """What is on disk of a session, and whether the CLI resumes it."""

    verdict: Verdict
    faults: tuple[Fault, ...] = ()
    bytes: int = 0
    lines: int = 0
    path: str = ""
    copies: int = 0
    conversation: int = 0

    def for_output(self) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "verdict": self.verdict,
            "resumable": self.verdict in RESUMABLE,
            "faults": [fault.for_output() for fault in self.faults],
            "bytes": self.bytes,
            "lines": self.lines,
            "path": printable(self.path),
            "copies": self.copies,
        }


def scan_session(places: Places, session_id: str) -> Scan:
    """Given a session, return the verdict on its transcript; never raise."""
    with transcripts_of(places, session_id) as found:
        return scan_found(places, session_id, found)


def scan_found(places: Places, session_id: str, found: list[Found]) -> Scan:
    """Given every transcript that a session has, judge the one the CLI would take."""
    if not found:
        return Scan("missing")
    first = found[0]
    copies = sum(one.file >= 0 for one in found)
    path = str(path_of(places, first.project, session_id))
    if places.rank(first.project) == 2 and len(found) > 1:
        return Scan("unusable", (Fault("copies", len(found)),), path=path)
    if first.file < 0:
        return Scan("unusable", (Fault(first.refusal),), path=path)
    return scan_file(first.file, session_id, path, copies)


def scan_file(file: int, session_id: str, path: str, copies: int = 1) -> Scan:
    """Given an open transcript, return the verdict on it."""
    size = os.fstat(file).st_size
    census = Census(session_id)
    whole = size <= MAX_FILE_BYTES
    try:
        for line in read_lines(file, size) if whole else ():
            census.take(line)
            if line.number == MAX_LINES:
                whole = False
                break
    except OSError:
        return Scan("unusable", (Fault("unreadable"),), size, path=path)
    if not whole:
        return Scan("unusable", (Fault("too_large"),), size, census.lines, path)
    verdict, faults = census.verdict()
    if verdict == "sound" and not _is_writable(file):
        # The CLI resumes it, and loses every new turn without a word.
        verdict, faults = "damaged", (Fault("not_writable"),)
    return Scan(verdict, faults, size, census.lines, path, copies, census.conversation)


def _is_writable(file: int) -> bool:
    return os.access(f"/proc/self/fd/{file}", os.W_OK, effective_ids=True)


def printable(text: str) -> str:
    """Return a name that the agent chose, made safe to show."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text)
