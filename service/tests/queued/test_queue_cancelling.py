# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What runs beside the queue ends, whatever its libraries do with a cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from agentd.queue.workers import end_all


async def test_what_swallows_a_cancellation_is_cancelled_again() -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    tasks = [asyncio.ensure_future(stubborn()), asyncio.ensure_future(asyncio.sleep(9))]
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await end_all(tasks)

    assert all(task.cancelled() for task in tasks)
