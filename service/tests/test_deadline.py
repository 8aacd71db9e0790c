# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A time limit that also holds while a cancelled task cleans up."""

from __future__ import annotations

import asyncio

import pytest

from agentd.deadline import Deadline


async def test_a_block_in_time_passes() -> None:
    async with Deadline(5):
        await asyncio.sleep(0)


async def test_a_block_out_of_time_raises_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        async with Deadline(0.01):
            await asyncio.sleep(5)


async def test_a_cancelled_task_still_gets_a_timeout_and_stays_cancelled() -> None:
    heard: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            try:
                async with Deadline(0.01):
                    await asyncio.sleep(5)
            except TimeoutError:
                heard.append("timeout")

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert heard == ["timeout"]


async def test_a_task_that_is_cancelled_within_is_cancelled() -> None:
    async def work() -> None:
        async with Deadline(5):
            await asyncio.sleep(5)

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
