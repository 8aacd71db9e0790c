# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Pieces of a transcript for control, from behind a line that it has already."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agentd.transcripts.find import Places, transcripts_of
from agentd.transcripts.judge import judge
from agentd.transcripts.lines import read_lines

TAIL_BYTES = 1024 * 1024
# In base64 it has to fit into a frame, with room for the rest of the answer.
PIECE_BYTES = 128 * 1024


@dataclass(frozen=True)
class Piece:
    """Some bytes of a transcript, and where they lie.

    If the line that was named is not ``found``, there are none; ``last_uuid`` is that
    of the last line that has one, as far as was looked.
    """

    exists: bool = False
    size: int = 0
    found: bool = False
    offset: int = 0
    data: bytes = b""
    last_uuid: str | None = None

    def for_output(self) -> Mapping[str, object]:
        """Return what control is told."""
        return {
            "exists": self.exists,
            "size": self.size,
            "found": self.found,
            "offset": self.offset,
            "data": base64.b64encode(self.data).decode(),
            "last_uuid": self.last_uuid,
        }


def read_piece(
    places: Places, session_id: str, after: str | None, offset: int
) -> Piece:
    """Return what lies behind the line with that uuid, or at the offset if none."""
    with transcripts_of(places, session_id) as found:
        files = [one.file for one in found if one.file >= 0]
        if not files:
            return Piece()
        file, size = files[0], os.fstat(files[0]).st_size
        if after is not None:
            place, last = _behind(file, size, after)
            if place is None:
                return Piece(exists=True, size=size, last_uuid=last)
            offset = place
        offset = min(offset, size)
        data = os.pread(file, min(PIECE_BYTES, size - offset), offset)
        return Piece(exists=True, size=size, found=True, offset=offset, data=data)


def _behind(file: int, size: int, uuid: str) -> tuple[int | None, str | None]:
    """Return where the line with that uuid ends, and the last uuid that was seen."""
    last: str | None = None
    for start in dict.fromkeys((max(0, size - TAIL_BYTES), 0)):
        place: int | None = None
        last = None
        for found, end in _uuids(file, size, start):
            last = found
            if found == uuid:
                place = end
        if place is not None:
            return place, last
    return None, last


def _uuids(file: int, size: int, start: int) -> Iterator[tuple[str, int]]:
    for line in read_lines(file, size, start):
        if b'"uuid"' not in (line.content or b"") or not line.ended:
            continue
        entry = judge(line).entry
        if entry is not None and entry.uuid is not None:
            yield entry.uuid, line.offset + line.length
