# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A host that stood still in a turn wakes up after another went on without it."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from .machines import RECALL, Machine, machine

pytestmark = pytest.mark.live

SLOWLY = "Remember the word fig. Answer slowly for 2 seconds."
PATIENCE_SECONDS = 30.0


def signal_control(host: Machine, number: signal.Signals) -> None:
    """Let control stand still, or go on."""
    assert host.control.process is not None
    host.control.process.send_signal(number)


def until_taken(host: Machine, message: str, named: dict[str, str]) -> str:
    """Say a message until it is taken; return the answer."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (answer := host.control.post(message, **named)).status_code != 200:
        assert time.monotonic() < end, answer.text
        time.sleep(0.3)
    return str(answer.json()["result"])


def test_what_a_host_sends_late_is_not_stored_and_stays_beside_on_its_disk(
    short_path: Path, postgres_url: str
) -> None:
    with (
        machine(short_path, "a", postgres_url) as a,
        machine(short_path, "b", postgres_url) as b,
    ):
        first = a.control.say("Remember the word mango.")
        named = {"conversation_id": first["conversation_id"]}
        slow = threading.Thread(target=lambda: a.control.post(SLOWLY, **named))
        slow.start()
        time.sleep(1.0)
        signal_control(a, signal.SIGSTOP)
        # Its agent's side ends the turn meanwhile, and writes it to its disk.
        until_taken(b, "Remember the word kiwi.", named)
        signal_control(a, signal.SIGCONT)
        slow.join()

        at_b = until_taken(b, RECALL, named)
        at_a = until_taken(a, RECALL, named)

        for answer in (at_b, at_a):
            assert "mango" in answer
            assert "kiwi" in answer
            assert "fig" not in answer
        (transcript,) = a.transcripts()
        (kept,) = transcript.parent.glob("*.replaced")
        assert "fig" in kept.read_text()
