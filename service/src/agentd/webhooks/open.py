# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Webhooks with what runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentd.queue.queue import Queue
from agentd.webhooks.receiver import Cleaner, Receiver, ReceiverParts


@asynccontextmanager
async def running_webhooks(
    parts: ReceiverParts, queue: Queue, work: Cleaner
) -> AsyncIterator[Receiver]:
    """Give what takes webhooks; what closed issues left is removed meanwhile."""
    receiver = Receiver(parts, queue, work)
    async with asyncio.TaskGroup() as group:
        cleaning = group.create_task(receiver.run(), name="webhooks")
        try:
            yield receiver
        finally:
            cleaning.cancel()
