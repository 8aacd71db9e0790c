# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Where skills lie, and what a sync reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

MAX_REPORTED = 1000
MAX_SHOWN_CHARACTERS = 600
MAX_OUTPUT_BYTES = 200 * 1024
MAX_OUTPUT_VALUES = 8000
CUT = "The report was cut: there are more skills than fit in it."

BUILT_IN = "builtIn"
ORG = "org"
UPLOADED = "uploaded"
USER = "user"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is refused, so that no directory can hold a boot up for ever."""

    skills: int = 1000
    entries: int = 5000
    bytes: int = 256 * 1024 * 1024
    depth: int = 16
    listed: int = 20_000
    all_entries: int = 100_000
    all_bytes: int = 4 * 1024 * 1024 * 1024
    removed: int = 200_000
    conflict_copies: int = 200

    def of_copies(self) -> Limits:
        """Return those of the destination: it holds what four sources may hold."""
        return replace(
            self,
            skills=5 * self.skills,
            all_entries=5 * self.all_entries,
            all_bytes=5 * self.all_bytes,
        )


@dataclass(frozen=True, kw_only=True)
class SkillPlaces:
    """The directories of a sync; state is a file outside the destination."""

    built_in: Path | None
    org: Path | None
    user: Path
    destination: Path
    state: Path
    uploaded: Path | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Shadowed:
    """A skill that a higher tier hides: that tier, and the hidden one's own path."""

    name: str
    winner: str
    loser: str


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A version of a skill that was kept aside, and where."""

    name: str
    copy: str


@dataclass(frozen=True, kw_only=True)
class SkillsReport:
    """What is there after a sync, and what the sync did."""

    built_in: Sequence[str] = ()
    org: Sequence[str] = ()
    uploaded: Sequence[str] = ()
    user: Sequence[str] = ()
    effective: Sequence[str] = ()
    shadowed: Sequence[Shadowed] = ()
    persisted: Sequence[str] = ()
    conflicts: Sequence[Conflict] = ()
    removed: Sequence[str] = ()
    warnings: Sequence[str] = ()
    changed: bool = False

    def for_output(self) -> dict[str, object]:
        """Return the report for a frame: printable, names sorted, and bounded."""
        room = _Room()
        output: dict[str, object] = {
            "warnings": room.names(self.warnings, in_order=True),
            "conflicts": room.things(
                {"name": one.name, "copy": one.copy} for one in self.conflicts
            ),
            "effective": room.names(self.effective),
            "persisted": room.names(self.persisted),
            "removed": room.names(self.removed),
            "builtIn": room.names(self.built_in),
            "org": room.names(self.org),
            "uploaded": room.names(self.uploaded),
            "user": room.names(self.user),
            "shadowed": room.things(
                {"name": one.name, "winner": one.winner, "loser": one.loser}
                for one in self.shadowed
            ),
            "changed": self.changed,
        }
        if room.is_cut:
            output["warnings"] = [*room.first(output["warnings"]), CUT]
        return output


class _Room:
    """What still fits in: a frame bounds the bytes and the number of values."""

    def __init__(self) -> None:
        self._bytes = MAX_OUTPUT_BYTES
        self._values = MAX_OUTPUT_VALUES
        self.is_cut = False

    def names(self, names: Iterable[str], *, in_order: bool = False) -> list[str]:
        """Return the names that fit in."""
        ordered = list(names) if in_order else sorted(names)
        self.is_cut = self.is_cut or len(ordered) > MAX_REPORTED
        return [shown(name) for name in ordered[:MAX_REPORTED] if self._takes(name)]

    def things(self, things: Iterable[dict[str, str]]) -> list[dict[str, str]]:
        """Return those that fit in."""
        return [
            {key: shown(text) for key, text in thing.items()}
            for thing in islice(things, MAX_REPORTED)
            if self._takes(*thing.values())
        ]

    @staticmethod
    def first(warnings: object) -> list[object]:
        """Return the warnings with room for one more."""
        return warnings[: MAX_REPORTED - 1] if isinstance(warnings, list) else []

    def _takes(self, *texts: str) -> bool:
        self._bytes -= sum(len(json.dumps(shown(text))) + 12 for text in texts)
        self._values -= len(texts) + 1
        if self._bytes < 0 or self._values < 0:
            self.is_cut = True
        return not self.is_cut


def shown(text: str) -> str:
    """Return a text that was found on disk, made safe to log and to send."""
    cut = text[:MAX_SHOWN_CHARACTERS]
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in cut
    )
