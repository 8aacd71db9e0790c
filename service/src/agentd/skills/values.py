# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Where skills lie, and what a sync reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_REPORTED = 1000
MAX_SHOWN_CHARACTERS = 600

BUILT_IN = "builtIn"
ORG = "org"
USER = "user"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is refused, so that no directory can hold a boot up for ever."""

    skills: int = 1000
    entries: int = 5000
    bytes: int = 256 * 1024 * 1024
    depth: int = 16
    listed: int = 20_000
    removed: int = 200_000
    conflict_copies: int = 200


@dataclass(frozen=True, kw_only=True)
class SkillPlaces:
    """The directories of a sync; state is a file outside the destination."""

    built_in: Path | None
    org: Path | None
    user: Path
    destination: Path
    state: Path
    warnings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Shadowed:
    """A user skill that a higher tier hides: that tier, and the skill's own path."""

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
    user: Sequence[str] = ()
    effective: Sequence[str] = ()
    shadowed: Sequence[Shadowed] = ()
    persisted: Sequence[str] = ()
    conflicts: Sequence[Conflict] = ()
    removed: Sequence[str] = ()
    warnings: Sequence[str] = ()
    changed: bool = False

    def for_output(self) -> dict[str, object]:
        """Return the report for a frame: bounded, printable, names sorted."""
        return {
            "builtIn": _names(self.built_in),
            "org": _names(self.org),
            "user": _names(self.user),
            "effective": _names(self.effective),
            "shadowed": [
                {
                    "name": shown(one.name),
                    "winner": shown(one.winner),
                    "loser": shown(one.loser),
                }
                for one in self.shadowed[:MAX_REPORTED]
            ],
            "persisted": _names(self.persisted),
            "conflicts": [
                {"name": shown(one.name), "copy": shown(one.copy)}
                for one in self.conflicts[:MAX_REPORTED]
            ],
            "removed": _names(self.removed),
            "warnings": [shown(one) for one in self.warnings[:MAX_REPORTED]],
            "changed": self.changed,
        }


def shown(text: str) -> str:
    """Return a text that was found on disk, made safe to log and to send."""
    cut = text[:MAX_SHOWN_CHARACTERS]
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in cut
    )


def _names(names: Sequence[str]) -> list[str]:
    return [shown(name) for name in sorted(names)[:MAX_REPORTED]]
