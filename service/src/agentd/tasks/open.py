# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Schedules with all that runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentd.tasks.retention import Retention
from agentd.tasks.schedules import ScheduleParts, Schedules


@asynccontextmanager
async def running_schedules(parts: ScheduleParts) -> AsyncIterator[Schedules]:
    """Give the schedules, of which what is due is queued meanwhile."""
    schedules = Schedules(parts)
    retention = Retention(parts.settings, parts.database, parts.turns, parts.clock)
    async with asyncio.TaskGroup() as group:
        works = [
            group.create_task(schedules.run(), name="schedules"),
            group.create_task(retention.run(), name="retention"),
        ]
        try:
            yield schedules
        finally:
            for work in works:
                work.cancel()
