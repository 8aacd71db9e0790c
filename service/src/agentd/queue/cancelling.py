# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Ends what runs beside the queue, also where a library swallows a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN_SECONDS = 1.0


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and again each second, until all have ended.

    A client of Redis that is cancelled while it gives up a connection can take the
    cancellation for its own time limit, and go on.
    """
    left = {one for one in tasks if not one.done()}
    while left:
        for one in left:
            one.cancel()
        _done, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
