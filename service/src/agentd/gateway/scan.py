# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Read what a request asks for while its body passes by, keeping none of it.

The agent chooses the body, and the rules depend on it: whatever two readers of
JSON could take for two different things is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_DEPTH = 200
MAX_KEYS = 100
MAX_PIECES = 500_000
MAX_KEPT_BYTES = 256
MAX_TOKENS = 10_000_000

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SCALAR = re.compile(rb"[-+.0-9A-Za-z]++")
_ATOM = rb'[-+.,:0-9A-Za-z \t\r\n]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_ATOMS = rb"(?>" + _ATOM + rb")*+"
# Whatever opens and closes again with nothing nested in it is skipped in one step.
_FLAT = re.compile(
    rb"(?>" + _ATOM + rb"|\{" + _ATOMS + rb"\}|\[" + _ATOMS + rb"\])*+", re.DOTALL
)
_OPENING = b"{["
_CLOSING = b"}]"


class BodyRefused(Exception):
    """A body that is no request, or that could be read in two ways."""


@dataclass(frozen=True)
class Asked:
    """What a request asks for."""

    model: str
    max_tokens: int = 0
    stream: bool = False


class BodyScan:
    """Takes a body piece by piece; knows the model as soon as that has passed."""

    def __init__(self) -> None:
        self._depth = 0
        self._pieces = 0
        self._keys = 0
        self._step: Callable[[bytes, int], int] = self._begin
        self._after_string: Callable[[bytes, int], int] = self._begin
        self._escaped = False
        self._kept = b""
        self._key = ""
        self._found: dict[str, object] = {}

    @property
    def model(self) -> str | None:
        """Return the model, once it has passed."""
        model = self._found.get("model")
        return model if isinstance(model, str) else None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; raise BodyRefused when they cannot be a request."""
        place = 0
        while place < len(piece):
            place = self._step(piece, place)

    def finish(self) -> Asked:
        """Return what was asked for; raise BodyRefused if that is not known."""
        if self._step != self._end:
            raise BodyRefused("the body is no whole JSON object")
        model = self.model
        if model is None:
            raise BodyRefused("the body names no model")
        tokens = self._found.get("max_tokens", 0)
        assert isinstance(tokens, int)
        return Asked(model, tokens, self._found.get("stream") is True)

    def _begin(self, piece: bytes, place: int) -> int:
        place = _skip(piece, place)
        if place < len(piece):
            self._expect(piece, place, b"{")
            self._depth = 1
            self._step = self._first_key
            place += 1
        return place

    def _first_key(self, piece: bytes, place: int) -> int:
        place = _skip(piece, place)
        if piece[place : place + 1] == b"}":
            self._step = self._end
            return place + 1
        return self._next_key(piece, place)

    def _next_key(self, piece: bytes, place: int) -> int:
        place = _skip(piece, place)
        if place < len(piece):
            self._expect(piece, place, b'"')
            self._keys += 1
            if self._keys > MAX_KEYS:
                raise BodyRefused(f"the body has more than {MAX_KEYS} keys")
            self._open_string(self._key_read)
            place += 1
        return place

    def _open_string(self, then: Callable[[bytes, int], int]) -> None:
        self._kept = b""
        self._after_string = then
        self._step = self._string

    def _string(self, piece: bytes, place: int) -> int:
        if self._escaped:
            self._kept += piece[place : place + 1]
            self._escaped = False
            place += 1
        match = _STRING_REST.match(piece, place)
        assert match is not None
        end = match.end()
        self._kept = (self._kept + piece[place:end][:MAX_KEPT_BYTES])[:MAX_KEPT_BYTES]
        if end == len(piece):
            return end
        if piece[end : end + 1] == b"\\":
            # The piece ends within an escape.
            self._kept += b"\\"
            self._escaped = True
            return end + 1
        self._step = self._after_string
        return self._step(piece, end + 1)

    def _key_read(self, piece: bytes, place: int) -> int:
        self._key = _text(self._kept)
        self._step = self._colon
        return place

    def _colon(self, piece: bytes, place: int) -> int:
        place = _skip(piece, place)
        if place < len(piece):
            self._expect(piece, place, b":")
            self._step = self._value
            place += 1
        return place

    def _value(self, piece: bytes, place: int) -> int:
        place = _skip(piece, place)
        if place == len(piece):
            return place
        first = piece[place : place + 1]
        if first == b'"':
            self._open_string(self._string_value_read)
            return place + 1
        if first in (b"{", b"["):
            self._note(None)
            self._step = self._nested
            return place
        self._kept = b""
        self._step = self._scalar
        return place

    def _string_value_read(self, piece: bytes, place: int) -> int:
        self._note(_text(self._kept))
        self._step = self._comma
        return place

    def _scalar(self, piece: bytes, place: int) -> int:
        match = _SCALAR.match(piece, place)
        end = match.end() if match else place
        self._kept += piece[place:end]
        if len(self._kept) > MAX_KEPT_BYTES:
            raise BodyRefused("a number in the body is too long")
        if end < len(piece):
            self._note(_scalar_of(self._kept))
            self._step = self._comma
        return end

    def _nested(self, piece: bytes, place: int) -> int:
        if self._depth > 1:
            match = _FLAT.match(piece, place)
            place = match.end() if match else place
            if place == len(piece):
                return place
        self._count_piece()
        byte = piece[place]
        if byte in _OPENING:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise BodyRefused(f"the body is nested deeper than {MAX_DEPTH}")
        elif byte in _CLOSING:
            self._depth -= 1
            if self._depth == 1:
                self._step = self._comma
        elif byte == ord('"'):
            self._open_string(self._nested_string_read)
        else:
            raise BodyRefused("the body is not JSON")
        return place + 1

    def _nested_string_read(self, piece: bytes, place: int) -> int:
        self._step = self._nested
        return place

    def _comma(self, piece: bytes, place: int) -> int:
        place = _skip(piece, place)
        if place < len(piece):
            self._expect(piece, place, b",}")
            self._step = self._next_key if piece[place] == ord(",") else self._end
            place += 1
        return place

    def _end(self, piece: bytes, place: int) -> int:
        place = _skip(piece, place)
        if place < len(piece):
            raise BodyRefused("something follows the body's JSON object")
        return place

    def _count_piece(self) -> None:
        self._pieces += 1
        if self._pieces > MAX_PIECES:
            raise BodyRefused("the body has too many parts")

    def _expect(self, piece: bytes, place: int, wanted: bytes) -> None:
        if piece[place] not in wanted:
            raise BodyRefused("the body is not a JSON object")

    def _note(self, value: object) -> None:
        """Keep the value of a key that the rules depend on."""
        name = self._key.strip().casefold()
        if name not in _KINDS:
            return
        if name != self._key or name in self._found:
            raise BodyRefused(f'the body names "{name}" twice, or in another spelling')
        if not _KINDS[name](value):
            raise BodyRefused(f'the value of "{name}" cannot be used')
        self._found[name] = value


def _is_count(value: object) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 <= value <= MAX_TOKENS


_KINDS: dict[str, Callable[[object], bool]] = {
    "model": lambda value: isinstance(value, str) and 0 < len(value) <= 128,
    "max_tokens": _is_count,
    "stream": lambda value: isinstance(value, bool),
}


def _skip(piece: bytes, place: int) -> int:
    match = _SPACE.match(piece, place)
    return match.end() if match else place


def _text(kept: bytes) -> str:
    try:
        return str(json.loads(b'"' + kept + b'"'))
    except ValueError:
        # Cut, or no text that JSON knows: none of the keys and models of ours.
        return ""


def _scalar_of(kept: bytes) -> object:
    try:
        return json.loads(kept)
    except ValueError as error:
        raise BodyRefused("the body is not JSON") from error
