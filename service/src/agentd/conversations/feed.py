# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The events of one running turn, for one reader who may be slow or gone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from agentd.engine.protocol import Chunk, Thinking, TurnEvent

MAX_EVENTS = 512


class EventFeed:
    """A bounded feed: a slow reader gets fewer, longer pieces, never a stalled turn."""

    def __init__(self) -> None:
        self._events: deque[TurnEvent] = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self._wanted = True
        self.dropped = 0

    def offer(self, event: TurnEvent) -> None:
        """Take an event; join it to the last one, or drop it, when full."""
        if not self._wanted:
            return
        last = self._events[-1] if self._events else None
        if len(self._events) < MAX_EVENTS:
            self._events.append(event)
        elif isinstance(event, Chunk) and isinstance(last, Chunk):
            self._events[-1] = Chunk(last.text + event.text)
        elif isinstance(event, Thinking) and isinstance(last, Thinking):
            self._events[-1] = Thinking(last.text + event.text)
        else:
            self.dropped += 1
        self._changed.set()

    def end(self) -> None:
        """Let the reader come to an end."""
        self._ended = True
        self._changed.set()

    def forget(self) -> None:
        """Keep no more events: nobody reads them."""
        self._wanted = False
        self._events.clear()

    async def read(self, patience_seconds: float) -> AsyncIterator[TurnEvent | None]:
        """Return the events until the end, and None after each wait without one."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended:
                return
            self._changed.clear()
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._changed.wait()
            except TimeoutError:
                yield None
