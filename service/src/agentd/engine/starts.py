# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How many clients start at once, whoever of them does not come to an end."""

from __future__ import annotations

import asyncio

LONGEST_SECONDS = 10.0


class Starts(asyncio.Semaphore):
    """Places for clients that start; one that takes long gives its place back.

    A start is bounded because it costs processor time. An agent that never answers
    costs none, and must not keep the clients of the others from starting.
    """

    def __init__(self, limit: int, longest_seconds: float = LONGEST_SECONDS) -> None:
        super().__init__(limit)
        self._longest = longest_seconds
        self._timers: dict[asyncio.Task[object] | None, asyncio.TimerHandle] = {}

    async def __aenter__(self) -> None:
        """Wait for a place."""
        await self.acquire()
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        self._timers[task] = loop.call_later(self._longest, self._leave, task)

    async def __aexit__(self, *_details: object) -> None:
        """Give the place back, unless that was done already."""
        self._leave(asyncio.current_task())

    def _leave(self, task: asyncio.Task[object] | None) -> None:
        timer = self._timers.pop(task, None)
        if timer is not None:
            timer.cancel()
            self.release()
