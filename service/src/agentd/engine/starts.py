# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Places for clients that start, whoever of them does not come to an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from agentd.engine.gate import FairGate

LONGEST_SECONDS = 3.0


class Starts:
    """Bounds how many clients start at once; one that takes long gives its place back.

    A start is bounded because it costs processor time. An agent that never answers
    costs none, and must not keep the clients of the others from starting: until one
    of its starts succeeds again, only one of them is let in at a time.
    """

    def __init__(self, limit: int, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._limit = limit
        self._longest = longest_seconds
        self._slow: set[str] = set()
        self._gate = FairGate(self._may_start)

    @asynccontextmanager
    async def place(self, agent: str) -> AsyncIterator[None]:
        """Wait for a place, and have it for the block or for the longest time."""
        await self._gate.enter(agent)
        place = _Place(self, agent)
        timer = asyncio.get_running_loop().call_later(self._longest, place.take_back)
        try:
            yield
            if place.held:
                self._slow.discard(agent)
        finally:
            timer.cancel()
            place.leave()

    def note_slow(self, agent: str) -> None:
        """Note that a start of the agent takes too long."""
        self._slow.add(agent)

    def leave(self, agent: str) -> None:
        """Give a place back."""
        self._gate.leave(agent)

    def _may_start(self, inside: Mapping[str, int], agent: str) -> bool:
        if sum(inside.values()) >= self._limit:
            return False
        return agent not in self._slow or not inside.get(agent)


class _Place:
    """One place, given back once."""

    def __init__(self, starts: Starts, agent: str) -> None:
        self._starts = starts
        self._agent = agent
        self.held = True

    def take_back(self) -> None:
        self._starts.note_slow(self._agent)
        self.leave()

    def leave(self) -> None:
        if self.held:
            self.held = False
            self._starts.leave(self._agent)
