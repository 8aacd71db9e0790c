# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The verdict on a transcript, from its lines in order; nothing is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agentd.transcripts.judge import Entry, judge
from agentd.transcripts.lines import Line

Verdict = Literal["sound", "damaged", "unusable", "missing", "foreign"]
MAX_LINKS = 200_000


@dataclass(frozen=True)
class Fault:
    """One kind of fault: how often it is there, and in which line it is first."""

    kind: str
    count: int = 1
    first_line: int = 0

    def for_output(self) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "kind": self.kind,
            "count": self.count,
            "first_line": self.first_line,
        }


class Chain:
    """The lines that were seen, to tell which of them follow one that is not there.

    A line that could not be judged, or more lines than are remembered, end that.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._last: dict[bool, str] = {}
        self._known = True

    def lose(self) -> None:
        """Note a line of which nothing is known."""
        self._known = False

    def breaks(self, entry: Entry) -> bool:
        """Return whether the entry follows a line that is not there."""
        return self._known and entry.parent is not None and not self._has(entry.parent)

    def take(self, entry: Entry) -> None:
        """Note the entry."""
        if entry.uuid is None:
            return
        self._last[entry.sidechain] = entry.uuid
        if len(self._seen) < MAX_LINKS:
            self._seen.add(entry.uuid)
        else:
            self.lose()

    def last(self, entry: Entry) -> str | None:
        """Return the line that the entry can follow instead."""
        return self._last.get(entry.sidechain)

    def _has(self, uuid: str) -> bool:
        return uuid in self._seen


class Census:
    """Counts what the lines of one session's transcript are."""

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id.lower()
        self._faults: dict[str, Fault] = {}
        self._chain = Chain()
        self._entries = 0
        self._own = 0
        self._long = 0
        self._ended = True
        self.lines = 0
        self.conversation = 0

    def take(self, line: Line) -> None:
        """Count the next line."""
        self.lines = line.number
        self._ended = line.ended
        judged = judge(line)
        if judged.fault:
            self._add(judged.fault, line.number)
        if not judged.judged:
            self._long += judged.fault is None
            self._chain.lose()
        if judged.entry is not None:
            self._count(judged.entry, line.number)

    def _count(self, entry: Entry, number: int) -> None:
        self._entries += 1
        self._own += (entry.session_id or "").lower() == self._session_id
        self.conversation += entry.speaks
        if self._chain.breaks(entry):
            self._add("broken_chain", number)
        self._chain.take(entry)

    def _add(self, kind: str, number: int) -> None:
        known = self._faults.get(kind, Fault(kind, 0, number))
        self._faults[kind] = Fault(kind, known.count + 1, known.first_line)

    def faults(self) -> tuple[Fault, ...]:
        """Return every kind of fault that was found."""
        if self._ended:
            return tuple(self._faults.values())
        return (*self._faults.values(), Fault("no_final_newline", 1, self.lines))

    def verdict(self) -> tuple[Verdict, tuple[Fault, ...]]:
        """Return the verdict and the faults that speak for it."""
        faults = self.faults()
        if self.lines == 0:
            return "unusable", (Fault("empty"),)
        if self._entries and not self._own:
            return "foreign", (*faults, Fault("foreign"))
        if not self.conversation and not (self._long and self._own):
            return "unusable", (*faults, Fault("no_conversation"))
        return ("damaged" if faults else "sound"), faults
