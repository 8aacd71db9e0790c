# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What tasks say is taken at once, wherever it is brought then."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agentd.clock import Clock
from agentd.output.held import Held
from agentd.output.pieces import END

# For so long words are joined before readers see them.
JOIN_SECONDS = 0.05
SWEEP_SECONDS = 30.0


class Taking:
    """Takes events into memory, and tells whoever brings them on of it."""

    def __init__(self, ttl_seconds: float, clock: Clock) -> None:
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._held = Held()
        self._said = asyncio.Event()

    def say(self, task_id: str, event: str, data: Mapping[str, object]) -> None:
        """Take an event; readers see it shortly after."""
        self._held.say(task_id, event, data, self._clock.now())
        self._said.set()

    def end(self, task_id: str, data: Mapping[str, object]) -> None:
        """Say that the task ended."""
        self.say(task_id, END, data)
        self._held.end(task_id)

    def _oldest(self) -> float:
        """Return since when a task must have said something to be kept."""
        return self._clock.now() - self._ttl_seconds

    async def _more(self) -> bool:
        """Wait until something was said, or until it is time to look for what is old.

        Return whether something was said.
        """
        return await came(self._said, SWEEP_SECONDS if len(self._held) else None)


async def came(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for an event; return whether it came in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
