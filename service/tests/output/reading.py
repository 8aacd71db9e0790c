# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Reads outputs as the API does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from agentd.output.protocol import Output, OutputEvent

PATIENCE = 0.02
MAX_QUIET = 5


async def read_all(
    output: Output, task_id: str = "one", after: str | None = None, quiet: int = 0
) -> list[OutputEvent]:
    """Read until the end, or until that many waits without an event."""
    async with aclosing(_reading(output, task_id, after, quiet)) as events:
        return [event async for event in events]


async def _reading(
    output: Output, task_id: str, after: str | None, quiet: int
) -> AsyncGenerator[OutputEvent, None]:
    left = quiet or MAX_QUIET
    async for event in output.read(task_id, after, PATIENCE):
        if event is not None:
            yield event
        elif (left := left - 1) <= 0:
            return
