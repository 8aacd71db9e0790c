# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Disk and database are brought together before the real CLI resumes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .machines import RECALL, Machine, machine

pytestmark = pytest.mark.live


def rest(host: Machine, session_id: str) -> dict[str, object]:
    """Close the live client of a session; return what is told of it then."""
    client = host.control.client
    repaired = client.post(f"/sessions/{session_id}/repair", json={})
    assert repaired.status_code == 200, repaired.text
    (told,) = client.get("/sessions", params={"scan": True}).json()["sessions"]
    assert isinstance(told, dict)
    return told


def test_a_conversation_comes_into_the_database_and_back_to_lost_disks(
    short_path: Path, tmp_path: Path
) -> None:
    """On SQLite, where it is asked for, and for a conversation that was there."""
    url = f"sqlite+aiosqlite:///{tmp_path}/agentd.db"
    with machine(short_path, "a", url, store_sessions=False) as a:
        first = a.control.say("Remember the word mango.")
        named = {"conversation_id": first["conversation_id"]}
        unstored = rest(a, first["session_id"])
        a.control.stop()
        a.control.settings["store_sessions"] = True
        a.control.start()
        a.control.say("Remember the word kiwi.", **named)
        stored = rest(a, first["session_id"])
        (transcript,) = a.transcripts()
        lines = transcript.read_bytes().splitlines(keepends=True)
        transcript.write_bytes(b"".join(lines[:20]))

        cut = a.control.say(RECALL, **named)
        rest(a, first["session_id"])
        shutil.rmtree(a.stack.memory() / ".claude" / "projects")
        (missing,) = a.control.client.get("/sessions", params={"scan": True}).json()[
            "sessions"
        ]
        lost = a.control.say(RECALL, **named)

        assert unstored["stored_bytes"] is None
        size = stored["stored_bytes"]
        assert isinstance(size, int)
        assert size > 50_000
        assert missing["transcript"]["verdict"] == "missing"
        assert missing["resumable"] is True
        for answer in (cut, lost):
            assert answer["notice"] is None
            assert "mango" in answer["result"]
            assert "kiwi" in answer["result"]
