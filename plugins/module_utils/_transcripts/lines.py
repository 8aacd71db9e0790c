# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A transcript cut into lines as it is read, whatever is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

LONGEST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Line:
    """Hold one line without its NULs and its end.

    One that is too long to be held has no content; ``whole`` says whether it begins
    and ends as an object does.
    """

    number: int
    content: bytes | None
    nuls: bool = False
    ended: bool = True
    whole: bool = True


class Splitter:
    """Cut blocks into lines; no more than one line is held."""

    def __init__(self) -> None:
        self._number = 1
        self._begin()

    def feed(self, block: bytes) -> Iterator[Line]:
        """Yield the lines that end in this block."""
        pieces = block.split(b"\n")
        for piece in pieces[:-1]:
            self._take(piece)
            yield self._line(ended=True)
            self._number += 1
            self._begin()
        self._take(pieces[-1])

    def rest(self) -> Iterator[Line]:
        """Yield what stands after the last line's end, if anything does."""
        if self._any:
            yield self._line(ended=False)

    def _begin(self) -> None:
        self._held = bytearray()
        self._any = self._nuls = self._over = False
        self._first = self._last = b""

    def _take(self, piece: bytes) -> None:
        self._any = self._any or bool(piece)
        if b"\0" in piece:
            self._nuls = True
            piece = piece.replace(b"\0", b"")
        self._first = self._first or piece[:1]
        self._last = piece.rstrip(b"\r")[-1:] or self._last
        if not self._over:
            self._held += piece
        if len(self._held) > LONGEST_BYTES:
            self._over = True
            self._held.clear()

    def _line(self, *, ended: bool) -> Line:
        return Line(
            number=self._number,
            content=None if self._over else bytes(self._held),
            nuls=self._nuls,
            ended=ended,
            whole=(self._first, self._last) == (b"{", b"}"),
        )
