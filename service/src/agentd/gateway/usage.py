# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Read what an answer tells while it streams by, holding little of it."""

from __future__ import annotations

import json

from agentd.gateway.status import Usage

MAX_LINE_BYTES = 256 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_NUMBER = 10**9
# A delta's event without its text, and how much text is taken for a token.
DELTA_BYTES = 80
TEXT_BYTES_PER_TOKEN = 3

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


class AnswerReader:
    """Finds tokens, model and error in an answer's bytes: of events, or one object."""

    def __init__(self, is_stream: bool) -> None:
        self._is_stream = is_stream
        self._buffer = b""
        self._skipping = False
        self._tokens: dict[str, int] = {}
        self._streamed_tokens = 0
        self.model: str | None = None
        self.error_kind: str | None = None

    @property
    def is_cut(self) -> bool:
        """Return whether the answer is too large for its figures to be read."""
        return not self._is_stream and len(self._buffer) > MAX_BODY_BYTES

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the answer."""
        if self.is_cut:
            return
        self._buffer += data
        if not self._is_stream:
            return
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            if not self._skipping and line.startswith(b"data:"):
                self._take_line(line)
            self._skipping = False
        if len(self._buffer) > MAX_LINE_BYTES:
            self._buffer, self._skipping = b"", True

    def finish(self) -> None:
        """Take the end of the answer, after its last bytes."""
        if not self._is_stream and not self.is_cut:
            self._take(self._buffer)

    def tokens(self, *, whole: bool) -> Usage:
        """Return the tokens; of a broken stream, output is told by what was seen."""
        found = dict(self._tokens)
        if not whole and found:
            said = found.get("output_tokens", 0)
            found["output_tokens"] = max(said, self._streamed_tokens)
        return Usage(**found)

    def _take_line(self, line: bytes) -> None:
        if b'"usage"' in line or b'"error"' in line:
            self._take(line[len(b"data:") :])
        if b'"content_block_delta"' in line[:64]:
            text = max(0, len(line) - DELTA_BYTES)
            self._streamed_tokens += 1 + text // TEXT_BYTES_PER_TOKEN

    def _take(self, content: bytes) -> None:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return
        if not isinstance(value, dict):
            return
        message = value.get("message")
        holder = message if isinstance(message, dict) else value
        model, usage, error = (holder.get(name) for name in ("model", "usage", "error"))
        if isinstance(model, str) and len(model) <= 128:
            self.model = model
        if isinstance(error, dict) and isinstance(error.get("type"), str):
            self.error_kind = error["type"]
        if isinstance(usage, dict):
            self._take_usage(usage)

    def _take_usage(self, usage: dict[object, object]) -> None:
        # An event's numbers are totals so far: a later one replaces them.
        for name in TOKENS:
            number = usage.get(name)
            if not isinstance(number, int) or isinstance(number, bool):
                continue
            if 0 <= number <= MAX_NUMBER:
                self._tokens[name] = number
