# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The events of one running turn, for one reader who may be slow or gone."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator

from agentd.engine.protocol import Chunk, Thinking, ToolUse, TurnEvent

MAX_EVENTS = 512
MAX_CHARACTERS = 2_000_000
SLOW_EVENTS = 64
PIECE_CHARACTERS = 4096


class EventFeed:
    """A bounded feed: a slow reader gets fewer, longer pieces, never a stalled turn.

    What waits for the reader is bounded in events and in characters; more is dropped.
    The whole answer comes with the turn's end.
    """

    def __init__(self) -> None:
        self._events: deque[TurnEvent] = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self._wanted = True
        self._characters = 0
        self.dropped = 0

    def offer(self, event: TurnEvent) -> None:
        """Take an event; join it to the last one, or drop it, when full."""
        if not self._wanted:
            return
        size = _size(event)
        if self._characters + size > MAX_CHARACTERS:
            self.dropped += 1
        elif (joined := self._joined(event)) is not None:
            self._events[-1] = joined
            self._characters += size
        elif len(self._events) < MAX_EVENTS:
            self._events.append(event)
            self._characters += size
        else:
            self.dropped += 1
        self._changed.set()

    def _joined(self, event: TurnEvent) -> TurnEvent | None:
        """Return the last piece with this one behind it, if the reader is slow."""
        if len(self._events) < SLOW_EVENTS:
            return None
        last = self._events[-1]
        # Each joining copies the piece, so that it has to stay short.
        if not isinstance(last, ToolUse) and len(last.text) < PIECE_CHARACTERS:
            if isinstance(last, Chunk) and isinstance(event, Chunk):
                return Chunk(last.text + event.text)
            if isinstance(last, Thinking) and isinstance(event, Thinking):
                return Thinking(last.text + event.text)
        return None

    def end(self) -> None:
        """Let the reader come to an end."""
        self._ended = True
        self._changed.set()

    def forget(self) -> None:
        """Keep no more events: nobody reads them."""
        self._wanted = False
        self._events.clear()
        self._characters = 0

    async def read(self, patience_seconds: float) -> AsyncIterator[TurnEvent | None]:
        """Return the events until the end, and None after each wait without one."""
        while True:
            while self._events:
                event = self._events.popleft()
                self._characters -= _size(event)
                yield event
            if self._ended:
                return
            self._changed.clear()
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._changed.wait()
            except TimeoutError:
                yield None


def _size(event: TurnEvent) -> int:
    if isinstance(event, ToolUse):
        return len(json.dumps(event.input))
    return len(event.text)
