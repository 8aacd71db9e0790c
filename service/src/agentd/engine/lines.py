# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The lines that a CLI writes: cut, bounded, and only those that we use.

Every byte comes out of an agent's container, and what one agent writes may take
neither the memory nor the time of the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from agentd.engine.kept import kept
from agentd.errors import CliFailed

MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_OPENINGS = 200_000
# What tools answered comes back in these; it may be long, and nobody reads it here.
UNUSED_START = b'{"type":"user"'
# Tells which message the CLI works on; the SDK does not know it, so that it gets it
# as a system message.
LIFECYCLE = "command_lifecycle"
STARTED = "command_started"
# What the CLI wrote to its transcript; one that is too long is told of, not read.
MIRROR = "transcript_mirror"
MIRROR_START = b'{"type":"transcript_mirror"'
TOO_LONG_MIRROR = {"type": MIRROR}
USED = (
    *("control_request", "control_response", "assistant", "result"),
    *("stream_event", MIRROR),
)
USED_SYSTEM = ("init", "session_writes_lost", "background_tasks_changed")

Hold = Callable[[int], None]


class LineReader:
    """Cuts chunks into lines and returns the messages in them that are used.

    ``hold`` is told of each change of what is held, and may raise CliFailed.
    """

    def __init__(self, hold: Hold | None = None) -> None:
        self._buffer = bytearray()
        self._skipping = False
        self._hold = hold
        self._held = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Return the size of each line that is complete now, and what is used of it.

        Raise CliFailed.
        """
        searched = len(self._buffer)
        self._buffer += chunk
        while (end := self._buffer.find(b"\n", searched)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            searched = 0
            if self._skipping:
                self._skipping = False
            else:
                yield len(line), parse_line(line)
        if self._skipping or self._buffer.startswith(UNUSED_START):
            self._skipping = True
            self._buffer.clear()
        elif len(self._buffer) > MAX_LINE_BYTES:
            if not self._buffer.startswith(MIRROR_START):
                raise _too_long()
            yield len(self._buffer), dict(TOO_LONG_MIRROR)
            self._skipping = True
            self._buffer.clear()
        self._tell()

    def forget(self) -> None:
        """Hold nothing any more."""
        self._buffer.clear()
        self._tell()

    def _tell(self) -> None:
        change = len(self._buffer) - self._held
        self._held += change
        if self._hold is not None and change:
            self._hold(change)


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the message in a line; None if it is one that is not used.

    Raise CliFailed if it begins like an object and is not one, or is too large.
    """
    text = line.strip()
    if not text.startswith(b"{") or text.startswith(UNUSED_START):
        return None
    # A list takes thirty times the memory of its two brackets.
    dense = text.count(b"[") + text.count(b"{") > MAX_OPENINGS
    if text.startswith(MIRROR_START) and (dense or len(text) > MAX_LINE_BYTES):
        return dict(TOO_LONG_MIRROR)
    if len(text) > MAX_LINE_BYTES:
        raise _too_long()
    if dense:
        raise CliFailed(
            f"The CLI wrote a line with more than {MAX_OPENINGS} brackets. "
            "Its client is closed."
        )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CliFailed(
            f"The CLI wrote a line that is not JSON: {text[:80]!r}."
        ) from error
    if value.get("type") == LIFECYCLE and value.get("state") == "started":
        taken = value.get("command_uuid")
        return {"type": "system", "subtype": STARTED, "command_uuid": taken}
    return kept(value) if _is_used(value) else None


def _is_used(value: dict[str, Any]) -> bool:
    kind = value.get("type")
    return kind in USED or (kind == "system" and value.get("subtype") in USED_SYSTEM)


def _too_long() -> CliFailed:
    return CliFailed(
        f"The CLI wrote a line of more than {MAX_LINE_BYTES} bytes. "
        "Its client is closed."
    )
