# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Read the tokens of an answer while it streams by, holding little of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

MAX_LINE_BYTES = 256 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass
class Counters:
    """What one agent has used since the gateway started."""

    requests: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0

    def add(self, usage: Mapping[str, int]) -> None:
        """Add the tokens of one answer."""
        self.input_tokens += usage.get("input_tokens", 0)
        self.output_tokens += usage.get("output_tokens", 0)
        self.cache_creation_input_tokens += usage.get("cache_creation_input_tokens", 0)
        self.cache_read_input_tokens += usage.get("cache_read_input_tokens", 0)

    def for_output(self) -> dict[str, int]:
        """Return the numbers by name."""
        return asdict(self)


class UsageReader:
    """Finds the usage in an answer's bytes, of events or of one JSON object."""

    def __init__(self, is_stream: bool) -> None:
        self._is_stream = is_stream
        self._buffer = b""
        self._skipping = False
        self.usage: dict[str, int] = {}

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the answer."""
        self._buffer += data
        if not self._is_stream:
            self._buffer = self._buffer[: MAX_BODY_BYTES + 1]
            return
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            if not self._skipping and line.startswith(b"data:") and b'"usage"' in line:
                self._take(line[len(b"data:") :])
            self._skipping = False
        if len(self._buffer) > MAX_LINE_BYTES:
            self._buffer, self._skipping = b"", True

    def finish(self) -> Mapping[str, int]:
        """Return the tokens by name, after the last bytes."""
        if not self._is_stream and len(self._buffer) <= MAX_BODY_BYTES:
            self._take(self._buffer)
        return self.usage

    def _take(self, content: bytes) -> None:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return
        if not isinstance(value, dict):
            return
        message = value.get("message")
        holder = message if isinstance(message, dict) else value
        usage = holder.get("usage")
        if isinstance(usage, dict):
            # An event's numbers are totals so far: a later one replaces them.
            self.usage.update(
                {
                    name: number
                    for name, number in usage.items()
                    if isinstance(number, int) and number >= 0
                }
            )
