# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sessions with the real CLI: earlier points, unusable transcripts, clearing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .service import ControlProcess

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live

REMEMBER = "Remember the word mango."
RECALL = "Which words did I ask you to remember?"


async def test_a_session_goes_on_behind_an_earlier_message(
    running_stack: RunningStack,
) -> None:
    """G17: what came later is unknown, and a message that is not there is left out."""
    nowhere = "55555555-5555-4555-8555-555555555555"
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            named = {"conversation_id": first["conversation_id"]}
            control.say("Remember the word kiwi.", **named)
            point = first["last_message_uuid"]
            back = control.say(RECALL, resume_at=point, **named)
            tolerated = control.say(RECALL, resume_at=nowhere, **named)

    assert back["session_id"] == first["session_id"]
    assert "mango" in back["result"]
    assert "kiwi" not in back["result"]
    assert (tolerated["status"], tolerated["resumed"]) == ("success", True)
    assert "mango" in tolerated["result"]


async def test_a_transcript_that_the_cli_refuses_is_left_once_and_a_clear_too(
    running_stack: RunningStack,
) -> None:
    """G10, G16, G19: said in full to a new session, and forgotten on demand."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            named = {"conversation_id": first["conversation_id"]}
            control.stop()
            pattern = f".claude/projects/*/{first['session_id']}.jsonl"
            (path,) = stack.memory().glob(pattern)
            path.write_bytes(b"no line of a transcript\n" * 100)
            control.start()
            second = control.say(
                "Remember the word kiwi.", message_if_resumed="only this", **named
            )
            third = control.say(RECALL, **named)
            cleared = control.say("/clear", **named)
            fourth = control.say(RECALL, **named)
            kept = list(
                stack.memory().glob(f".claude/projects/*/{third['session_id']}*")
            )

    assert (second["status"], second["resumed"]) == ("success", False)
    assert second["session_id"] != first["session_id"]
    assert second["notice"]
    assert "kiwi" in third["result"]
    assert "forgotten" in cleared["result"]
    assert fourth["session_id"] == cleared["session_id"] != third["session_id"]
    assert "kiwi" not in fourth["result"]
    assert kept != []
