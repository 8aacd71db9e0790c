# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A conversation in a definition goes on at another host, with the real CLI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from store.machines import RECALL, Machine, machine

from agentd.transcripts.key import project_key

PWD = "tool Bash " + json.dumps({"command": "pwd"})

pytestmark = pytest.mark.live


def upload(host: Machine) -> None:
    """Upload the definition to a host: each has its own."""
    host.stack.definitions.mkdir()
    sent = {"name": "reviewer", "files": {"CLAUDE.md": "You review."}}
    made = host.control.client.post("/api/agents/upload", json=sent)
    assert made.status_code == 201, made.text


def work(host: Machine) -> Path:
    """Return the definition's work directory at a host."""
    return host.stack.memory() / "definitions" / "reviewer"


def test_a_conversation_in_a_definition_goes_on_in_it_at_another_host_and_comes_back(
    short_path: Path, postgres_url: str
) -> None:
    """P01, P07: also at a host that has never seen its transcript."""
    with (
        machine(short_path, "a", postgres_url) as a,
        machine(short_path, "b", postgres_url) as b,
    ):
        upload(a)
        upload(b)
        first = a.control.say("Remember the word mango.", definition="reviewer")
        named = {"conversation_id": first["conversation_id"]}
        a.kill_control()

        at_b = b.control.say(RECALL, **named)
        there = b.control.say(PWD, **named)
        (restored,) = b.transcripts()
        a.control.start()
        at_a = a.control.say(RECALL, **named)
        here = a.control.say(PWD, **named)

    assert "mango" in at_b["result"]
    assert str(work(b)) in there["result"]
    assert restored.parent.name == project_key(work(b))
    assert "mango" in at_a["result"]
    assert str(work(a)) in here["result"]
    answers = (first, at_b, there, at_a, here)
    assert {one["session_id"] for one in answers} == {first["session_id"]}
