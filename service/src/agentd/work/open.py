# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Work that tries again what could not be cleaned up, as long as it is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentd.work.work import Work, WorkParts


@asynccontextmanager
async def running_work(parts: WorkParts) -> AsyncIterator[Work]:
    """Give the work of these parts; its clean-ups end with the block."""
    work = Work(parts)
    async with asyncio.TaskGroup() as tasks:
        cleaning = tasks.create_task(work.run(), name="clean-ups")
        try:
            yield work
        finally:
            cleaning.cancel()
