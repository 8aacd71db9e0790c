# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the CLIs of one agent may cost control together: time and memory.

Control is one process with one thread. An agent that writes without end, in one
client or in many, is read more slowly than it writes, and the others are served.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from agentd.errors import CliFailed

UNITS_PER_SECOND = 4_000.0
BURST_UNITS = 20_000.0
UNIT_BYTES = 16 * 1024
LINES_IN_A_ROW = 64
MAX_HELD_BYTES = 16 * 1024 * 1024


class AgentBounds:
    """Paces the lines that come from one agent, and bounds what is held of them."""

    def __init__(self, agent: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._agent = agent
        self._clock = clock
        self._units = BURST_UNITS
        self._at = clock()
        self._in_a_row = 0
        self._held = 0

    async def pace(self, size: int) -> None:
        """Wait as long as a line of that size costs too much now."""
        now = self._clock()
        back = (now - self._at) * UNITS_PER_SECOND
        self._units = min(BURST_UNITS, self._units + back) - 1 - size / UNIT_BYTES
        self._at = now
        self._in_a_row += 1
        if self._units < 0:
            await asyncio.sleep(-self._units / UNITS_PER_SECOND)
        elif self._in_a_row >= LINES_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)

    def hold(self, size: int) -> None:
        """Note how many more bytes of unfinished lines are held; raise CliFailed."""
        self._held += size
        if size > 0 and self._held > MAX_HELD_BYTES:
            raise CliFailed(
                f'The CLIs of agent "{self._agent}" wrote {self._held} bytes of '
                "lines without an end. The client that wrote the last is closed."
            )
