# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Places in a task's output: when somebody began to write it, and which event it is.

They are the ids of Redis' streams. A task that is run again is written from a later
beginning, so that ids grow over all its attempts, and what an earlier writer still has
to say comes too late.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agentd.output.protocol import OutputEvent

PLACE = re.compile(r"(\d{1,15})-(\d{1,15})")
GAP = "gap"


@dataclass(frozen=True, order=True)
class Place:
    """One place; the first event of a writer is its number 1."""

    began_ms: int
    number: int

    def __str__(self) -> str:
        return f"{self.began_ms}-{self.number}"


BEGINNING = Place(0, 0)


def place_of(text: str | None) -> Place:
    """Return the place that an id names; what is none is the beginning."""
    match = PLACE.fullmatch(text or "")
    return BEGINNING if match is None else Place(int(match[1]), int(match[2]))


def gap_before(place: Place, last: Place) -> OutputEvent | None:
    """Return the event that tells how many are missing behind the last, if any are."""
    expected = last.number + 1 if place.began_ms == last.began_ms else 1
    if place.number <= expected:
        return None
    return OutputEvent(str(last), GAP, {"missing": place.number - expected})
