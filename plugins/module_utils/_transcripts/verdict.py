# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on a transcript: whether its session resumes, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .lines import Line
from .rules import Entry, judge

SOUND, DAMAGED, UNUSABLE = "sound", "damaged", "unusable"
MISSING, FOREIGN, UNKNOWN = "missing", "foreign", "unknown"
RESUMABLE = (SOUND, DAMAGED)
MOST_LINKS = 200_000

# What an operator reads; the lines that are counted the CLI passes over in silence.
COUNTED = {
    "torn": "torn lines: {}",
    "nul": "lines with NULs: {}",
    "spliced": "lines that run into the next: {}",
    "not_utf8": "lines with bytes that are no text: {}",
    "no_object": "lines that are no objects: {}",
    "broken_chain": "lines that follow one that is gone: {}",
}
REASONS = {
    "no_final_newline": "its last line has no end",
    "copies": "several projects hold it, and the CLI then takes none",
    "empty": "the transcript is empty",
    "no_conversation": "nothing of the conversation is left in it",
    "foreign": "its lines belong to another session, or to another program",
    "not_a_file": "a link or something else that is no file has its name",
    "unreadable": "the user of the container cannot read it",
    "not_writable": "the user of the container cannot append to it, so that every "
    "new turn would be lost",
    "too_large": "it is larger than any transcript",
    "gone": "there is no transcript",
    "not_looked": "not every transcript of its agent could be looked at",
}


@dataclass(frozen=True)
class Fault:
    """Hold one kind of fault: how often it is there, and in which line first."""

    kind: str
    count: int = 1
    first_line: int = 0

    @property
    def reason(self) -> str:
        """Return the fault in words."""
        if self.kind in REASONS:
            return REASONS[self.kind]
        told = COUNTED[self.kind].format(self.count)
        return (
            f"{told} (the first in line {self.first_line})" if self.first_line else told
        )

    def for_output(self) -> dict[str, Any]:
        """Return what the module returns."""
        return {
            "kind": self.kind,
            "count": self.count,
            "first_line": self.first_line,
        }


@dataclass(frozen=True)
class Verdict:
    """Hold whether a session resumes, what speaks against it, and its size."""

    word: str
    faults: tuple[Fault, ...] = ()
    bytes: int = 0
    lines: int = 0

    @property
    def resumable(self) -> bool:
        """Return whether the CLI goes on in the session."""
        return self.word in RESUMABLE

    @property
    def why(self) -> str:
        """Return the verdict's reasons in words."""
        return "; ".join(fault.reason for fault in self.faults)


class Census:
    """Count what the lines of one session's transcript are."""

    def __init__(self, session: str) -> None:
        self._session = session.lower()
        self._faults: dict[str, Fault] = {}
        self._seen: set[str] = set()
        self._chain = self._ended = True
        self._entries = self._own = self._long = self._spoken = 0
        self.lines = 0

    def take(self, line: Line) -> None:
        """Count the next line."""
        self.lines, self._ended = line.number, line.ended
        judged = judge(line)
        if judged.fault is not None:
            self._add(judged.fault, line.number)
        if not judged.known:
            self._chain = False
            self._long += judged.fault is None
        if judged.entry is not None:
            self._count(judged.entry, line.number)

    def verdict(self, size: int) -> Verdict:
        """Return the verdict on all lines."""
        faults = tuple(self._faults.values())
        if not self._ended:
            faults += (Fault("no_final_newline", 1, self.lines),)
        word = DAMAGED if faults else SOUND
        if not self.lines:
            word, faults = UNUSABLE, (Fault("empty"),)
        elif self._entries and not self._own:
            word, faults = FOREIGN, (*faults, Fault("foreign"))
        elif not self._spoken and not (self._long and self._own):
            word, faults = UNUSABLE, (*faults, Fault("no_conversation"))
        return Verdict(word, faults, size, self.lines)

    def _count(self, entry: Entry, number: int) -> None:
        self._entries += 1
        self._own += (entry.session or "").lower() == self._session
        self._spoken += entry.speaks
        if self._chain and entry.parent and entry.parent not in self._seen:
            self._add("broken_chain", number)
        if entry.uuid is None:
            return
        if len(self._seen) < MOST_LINKS:
            self._seen.add(entry.uuid)
        else:
            self._chain = False

    def _add(self, kind: str, number: int) -> None:
        known = self._faults.get(kind, Fault(kind, 0, number))
        self._faults[kind] = Fault(kind, known.count + 1, known.first_line)
