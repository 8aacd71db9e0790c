# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What can be kept of a damaged line; nothing is read or written here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from agentd.transcripts.judge import Entry, entry_of, is_dense

MAX_TRIES = 16
START = '{"parentUuid"'
# Unlike the CLI's own reading, one control sign in a text does not cost the line.
_LENIENT = json.JSONDecoder(strict=False)


def salvage(content: bytes, session_id: str) -> list[Entry]:
    """Given a damaged line without its NULs, return the whole lines found in it.

    Only lines of the conversation count; what the CLI notes beside them is dropped.
    """
    if is_dense(content):
        return []
    text = content.decode(errors="replace")
    return [
        entry
        for value in _objects(text)
        if (entry := entry_of(value)) is not None
        and entry.uuid is not None
        and (entry.session_id or "").lower() == session_id.lower()
    ]


def _objects(text: str) -> Iterator[object]:
    place = _skip(text, 0)
    for _try in range(MAX_TRIES):
        if place < 0:
            return
        try:
            value, end = _LENIENT.raw_decode(text, place)
        except (ValueError, RecursionError):
            place = text.find(START, place + 1)
            continue
        yield value
        place = _skip(text, end)


def _skip(text: str, place: int) -> int:
    """Return where the next object may begin, or -1."""
    here = place
    while here < len(text) and text[here] in " \t\r\ufeff":
        here += 1
    return here if text.startswith("{", here) else text.find(START, here)


def written(value: Mapping[str, object]) -> bytes:
    """Return a line that was put together anew."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
