# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The lines of an open file, one at a time, whatever is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BYTES = 256 * 1024
MAX_LINE_BYTES = 8 * 1024 * 1024
NUL = b"\0"


@dataclass(frozen=True)
class Line:
    """One line: where it lies, and what it holds without its NULs and its end.

    A line that is too long to be held has no content, only its first and last sign.
    """

    number: int
    offset: int
    length: int
    content: bytes | None
    edges: bytes = b""
    nuls: bool = False
    ended: bool = True


class _Growing:
    """A line that is being read; NULs take no room, however many there are."""

    def __init__(self, number: int, offset: int) -> None:
        self.number = number
        self.offset = offset
        self.length = 0
        self._content = bytearray()
        self._first = self._last = b""
        self._nuls = self._too_long = False

    def take(self, piece: bytes) -> None:
        """Add what was read of the line."""
        self.length += len(piece)
        if NUL in piece:
            self._nuls = True
            piece = piece.replace(NUL, b"")
        if not piece:
            return
        self._first = self._first or piece[:1]
        self._last = piece.rstrip(b"\r")[-1:] or self._last
        if not self._too_long:
            self._content += piece
        if len(self._content) > MAX_LINE_BYTES:
            self._too_long = True
            self._content.clear()

    def line(self, *, ended: bool) -> Line:
        """Return the line as it is now."""
        return Line(
            number=self.number,
            offset=self.offset,
            length=self.length + ended,
            content=None if self._too_long else bytes(self._content),
            edges=self._first + self._last,
            nuls=self._nuls,
            ended=ended,
        )


def read_lines(file: int, size: int, start: int = 0) -> Iterator[Line]:
    """Yield the lines from *start* on, as far as the file went when it was measured."""
    position = start
    growing = _Growing(1, start)
    while position < size:
        block = os.pread(file, min(BLOCK_BYTES, size - position), position)
        if not block:
            break
        position += len(block)
        *whole, rest = block.split(b"\n")
        for piece in whole:
            growing.take(piece)
            line = growing.line(ended=True)
            yield line
            growing = _Growing(line.number + 1, line.offset + line.length)
        growing.take(rest)
    if growing.length:
        yield growing.line(ended=False)
