# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A turn told while it runs: server-sent events, and who reads them."""

from __future__ import annotations

from pathlib import Path

from agentd.errors import (
    CliFailed,
)

from .running_app import ANSWER_KEYS, control, events


async def test_a_stream_tells_start_chunks_and_done(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        response = await running.say(stream=True)

    told = events(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _unused in told] == ["start", "chunk", "done"]
    assert set(told[-1][1]) == ANSWER_KEYS
    assert told[0][1]["conversation_id"] == told[-1][1]["conversation_id"]


async def test_a_stream_that_fails_tells_the_error_and_then_done(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        running.engine.script = [CliFailed("529")]
        response = await running.say(stream=True)

    told = events(response.text)
    assert [name for name, _unused in told] == ["start", "chunk", "error", "done"]
    assert told[2][1] == {"error": "529", "status": "error"}
