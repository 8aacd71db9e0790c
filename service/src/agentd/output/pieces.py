# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a task said, in pieces of a bounded size that outlive whoever said it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PIECE_CHARACTERS = 4_096
# JSON may need twelve characters for one.
MAX_CHARACTERS = 65_536
CUT_CHARACTERS = 1_024
END = "end"


@dataclass(frozen=True)
class Piece:
    """One event, as JSON."""

    event: str
    data: str

    @property
    def size(self) -> int:
        """Return how much it counts."""
        return len(self.event) + len(self.data)


@dataclass
class Said:
    """What was said and not given on yet; words that follow each other are joined."""

    _event: str = ""
    _text: list[str] = field(default_factory=list)
    _characters: int = 0

    def add(self, event: str, data: Mapping[str, object]) -> Iterator[Piece]:
        """Take an event; return the pieces that are whole now."""
        text = data.get("text") if len(data) == 1 else None
        if not isinstance(text, str):
            yield from self.rest()
            yield piece_of(event, data)
            return
        if event != self._event:
            yield from self.rest()
        self._event = event
        for start in range(0, len(text), PIECE_CHARACTERS):
            self._text.append(text[start : start + PIECE_CHARACTERS])
            self._characters += len(self._text[-1])
            if self._characters >= PIECE_CHARACTERS:
                yield from self.rest()
                self._event = event

    def rest(self) -> Iterator[Piece]:
        """Return the words that were not joined to others yet."""
        if self._text:
            yield piece_of(self._event, {"text": "".join(self._text)})
        self._event, self._text, self._characters = "", [], 0


def piece_of(event: str, data: Mapping[str, object]) -> Piece:
    """Return an event as a piece; what is too long, or no JSON, is left out."""
    whole = _encoded(data)
    if whole is not None and len(whole) <= MAX_CHARACTERS:
        return Piece(event, whole)
    kept: dict[str, object] = {}
    cut: list[str] = []
    for name, value in list(data.items())[:CUT_CHARACTERS]:
        said = _encoded(value)
        if said is None or len(said) + len(name) > CUT_CHARACTERS or len(kept) >= 16:
            cut.append(str(name)[:64])
        else:
            kept[str(name)] = value
    return Piece(event, json.dumps({**kept, "left_out": cut[:16]}))


def _encoded(value: object) -> str | None:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
