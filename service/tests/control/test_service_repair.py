# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A transcript that was damaged while nothing ran, after the next start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from .service import ControlProcess, until

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live

RECALL = "Which words did I ask you to remember?"


async def test_a_damaged_transcript_is_repaired_after_a_start_and_goes_on(
    running_stack: RunningStack,
) -> None:
    """G09: what a power cut left before whole lines does not cost their words."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say("Remember the word mango.")
            named = {"conversation_id": first["conversation_id"]}
            control.stop()
            await asyncio.to_thread(stack.stop)
            projects = stack.memory() / ".claude/projects"
            (transcript,) = projects.glob(f"*/{first['session_id']}.jsonl")
            lines = transcript.read_bytes().splitlines(keepends=True)
            place = next(
                number
                for number, line in enumerate(lines)
                if b"the word mango" in line and b'"type":"user"' in line
            )
            lines[place] = b"\0" * 4096 + lines[place]
            damaged = b"".join(lines)
            transcript.write_bytes(damaged)
            stack.start_gateway()
            stack.start_side()
            control.start()
            await until(lambda: "session_repaired" in control.log())
            second = control.say(RECALL, **named)

        (kept,) = transcript.parent.glob("*.damaged")
        before = kept.read_bytes()

    assert before == damaged
    assert "mango" in second["result"]
    assert second["session_id"] == first["session_id"]
