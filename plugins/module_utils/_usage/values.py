# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the entries of a state inventory take on a host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping


@dataclass(frozen=True)
class Amount:
    """Hold a number of bytes and of files."""

    bytes: int = 0
    files: int = 0

    def for_output(self) -> dict[str, int]:
        """Return what the module returns of it."""
        return {"bytes": self.bytes, "files": self.files}


def together(amounts: Iterable[Amount]) -> Amount:
    """Return the sum of the amounts."""
    every = tuple(amounts)
    return Amount(
        bytes=sum(one.bytes for one in every), files=sum(one.files for one in every)
    )


@dataclass(frozen=True)
class Place:
    """Hold where an entry of one agent, or of all, lies on the host.

    The ``path`` is that below the data root, or empty for a volume.
    """

    entry: str
    kind: str
    agent: str | None
    shown: str
    path: str = ""
    volume: str | None = None
    file: bool = False


@dataclass(frozen=True)
class Taken:
    """Hold what a place takes, by area; ``present`` says whether it is there."""

    place: Place
    areas: Mapping[str, Amount] = field(default_factory=dict)
    present: bool = False
    error: str | None = None

    @property
    def total(self) -> Amount:
        """Return all areas together."""
        return together(self.areas.values())

    def for_output(self) -> dict[str, Any]:
        """Return what the module returns of the place."""
        return {
            "entry": self.place.entry,
            "kind": self.place.kind,
            "agent": self.place.agent,
            "path": self.place.shown,
            "volume": self.place.volume,
            "present": self.present,
            **self.total.for_output(),
            "areas": _shown(self.areas),
            "error": self.error,
        }


@dataclass(frozen=True)
class Found:
    """Hold what all places take, and what could not be counted."""

    places: tuple[Taken, ...]
    seconds: float
    whole: bool
    problems: tuple[str, ...]

    @property
    def total(self) -> Amount:
        """Return everything together."""
        return together(one.total for one in self.places)

    @property
    def agents(self) -> dict[str, Amount]:
        """Return what each agent takes."""
        return _summed(
            (one.place.agent, one.total) for one in self.places if one.place.agent
        )

    @property
    def areas(self) -> dict[str, Amount]:
        """Return what each area takes, in all places together."""
        return _summed(pair for one in self.places for pair in one.areas.items())

    def for_output(self, warnings: Iterable[str]) -> dict[str, Any]:
        """Return what the module returns."""
        return {
            **self.total.for_output(),
            "entries": [one.for_output() for one in self.places],
            "agents": _shown(self.agents),
            "areas": _shown(self.areas),
            "seconds": round(self.seconds, 3),
            "whole": self.whole,
            "warnings": list(warnings),
        }


def _summed(pairs: Iterable[tuple[str, Amount]]) -> dict[str, Amount]:
    found: dict[str, list[Amount]] = {}
    for name, amount in pairs:
        found.setdefault(name, []).append(amount)
    return {name: together(found[name]) for name in sorted(found)}


def _shown(amounts: Mapping[str, Amount]) -> dict[str, dict[str, int]]:
    return {name: amount.for_output() for name, amount in amounts.items()}
