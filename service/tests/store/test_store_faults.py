# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The store goes away under a turn; what it lacks is told, and brought in."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from servers.postgres import Postgres

from .machines import RECALL, Machine, machine

pytestmark = pytest.mark.live

SLOWLY = "Remember the word {}. Answer slowly for 3 seconds."
BACK_SECONDS = 40.0


def rename(url: str, old: str, new: str) -> None:
    """Take the table away, or give it back."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}".encode())


def answer_in(host: Machine, conversation_id: str, count: int) -> list[dict[str, Any]]:
    """Return the messages of a conversation, once it has so many."""
    end = time.monotonic() + BACK_SECONDS
    while True:
        answer = host.control.client.get(f"/chat/{conversation_id}/messages")
        if answer.status_code == 200 and len(answer.json()["messages"]) >= count:
            messages: list[dict[str, Any]] = answer.json()["messages"]
            return messages
        assert time.monotonic() < end, (answer.text, host.control.log())
        time.sleep(0.2)


def stop_under(
    server: Postgres, host: Machine, message: str, named: dict[str, str]
) -> None:
    """Stop the server in the midst of a turn, and start it when that has ended."""
    said = len(answer_in(host, named["conversation_id"], 0)) + 1
    told: list[httpx.Response] = []
    turn = threading.Thread(
        target=lambda: told.append(host.control.post(message, **named))
    )
    turn.start()
    answer_in(host, named["conversation_id"], said)
    server.stop()
    turn.join()
    server.start()


def test_what_the_store_missed_is_told_and_then_brought_in(
    short_path: Path, postgres_server: Postgres
) -> None:
    url = postgres_server.new_database()
    with (
        machine(short_path, "a", url) as a,
        machine(short_path, "b", url) as b,
    ):
        first = a.control.say("Remember the word mango.")
        named = {"conversation_id": first["conversation_id"]}
        rename(url, "transcript_entries", "gone")
        missed = a.control.say("Remember the word kiwi.", **named)
        rename(url, "gone", "transcript_entries")
        metrics = a.control.client.get("/metrics").text
        filled = a.control.say("Remember the word plum.", **named)

        assert first["notice"] is None
        assert missed["status"] == "success"
        assert "not in the database yet" in missed["notice"]
        assert "agentd_mirror_errors_total 0.0" not in metrics
        assert filled["notice"] is None

        stop_under(postgres_server, a, SLOWLY.format("fig"), named)
        # Whatever its caller was told, the turn's answer is there in the end.
        messages = answer_in(a, first["conversation_id"], 8)
        assert messages[-1]["role"] == "assistant"
        a.kill_control()

        end = time.monotonic() + BACK_SECONDS
        while (there := b.control.post(RECALL, **named)).status_code != 200:
            assert time.monotonic() < end, there.text
            time.sleep(0.5)
        for word in ("mango", "kiwi", "plum", "fig"):
            assert word in there.json()["result"], (there.text, messages[-1])
