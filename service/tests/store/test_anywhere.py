# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A conversation goes on at another host, whose disk is empty, with the real CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from .machines import RECALL, machine

pytestmark = pytest.mark.live

IN_AN_AGENT = (
    'tool Agent {"description": "greet", "prompt": "say hi", '
    '"subagent_type": "general-purpose", "run_in_background": false}'
)


def test_a_conversation_goes_on_at_another_host_and_comes_back(
    short_path: Path, postgres_url: str
) -> None:
    with (
        machine(short_path, "a", postgres_url) as a,
        machine(short_path, "b", postgres_url) as b,
    ):
        first = a.control.say("Remember the word mango.")
        named = {"conversation_id": first["conversation_id"]}
        a.control.say(IN_AN_AGENT, **named)
        assert b.transcripts() == []
        a.kill_control()

        at_b = b.control.say(RECALL, **named)
        b.control.say('Remember the word kiwi.\ntool Skill {"skill": "mine"}', **named)
        a.control.start()
        at_a = a.control.say(RECALL, **named)
        live = b.control.say("Remember the word plum.", **named)
        again = a.control.say(RECALL, **named)

        # The one thing that is told: the two lie in different places in this test.
        assert at_b["resumed"] is True
        assert at_b["notice"].startswith("The session of this conversation was begun")
        assert "new session" not in at_b["notice"]
        assert "mango" in at_b["result"]
        assert {"mango", "kiwi"} <= words(at_a)
        assert {"mango", "kiwi", "plum"} <= words(again)
        answers = (first, at_b, at_a, live, again)
        assert {one["session_id"] for one in answers} == {first["session_id"]}
        (transcript,) = b.transcripts()
        assert "Launching skill: mine" in transcript.read_text()
        assert transcript.stat().st_mode & 0o777 == 0o600
        (beside,) = b.stack.memory().glob(".claude/projects/*/*/subagents/*.jsonl")
        assert beside.with_suffix(".meta.json").exists()
        for one in (a, b):
            metrics = one.control.client.get("/metrics").text
            assert "agentd_mirror_errors_total 0.0" in metrics


def words(answer: dict[str, str]) -> set[str]:
    """Return the words of an answer."""
    assert answer["result"] is not None, answer
    return set(answer["result"].replace(",", " ").replace(".", " ").split())
