# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A deployment that works and talks is probed from inside, whole and with a loss."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import Deployment


@contextmanager
def talking(deployment: Deployment) -> Iterator[list[str]]:
    """Begin, continue and delete conversations all the while; yield what was said."""
    said: list[str] = []
    enough = threading.Event()

    def talk() -> None:
        while not enough.is_set():
            begun = deployment.say("Remember the word mango.", agent="second")
            path = f"/chat/{begun['conversation_id']}"
            deployment.say("And?", conversation_id=begun["conversation_id"])
            deployment.ask("DELETE", path)
            said.append(path)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield said
    finally:
        enough.set()
        thread.join()


@pytest.fixture
def lost(deployment: Deployment, tmp_path: Path) -> Iterator[str]:
    """A conversation whose transcript is gone while the test runs."""
    said = deployment.say("Remember the word kiwi.", agent="first")
    path = deployment.transcript("first", said["session_id"])
    owner = path.stat()
    shutil.move(path, tmp_path / "away")
    yield said["conversation_id"]
    shutil.copy(tmp_path / "away", path)
    os.chown(path, owner.st_uid, owner.st_gid)


def test_a_busy_deployment_raises_no_false_alarm(deployment: Deployment) -> None:
    """K16: deploying again probes every container while conversations come and go."""
    deployment.wait_until_connected()

    with talking(deployment) as said:
        outcome = deployment.deploy()

    assert outcome.status == 0, outcome.output
    assert said


def test_a_conversation_without_its_transcript_is_named(
    deployment: Deployment, lost: str
) -> None:
    """A loss that nobody told of is a warning, with the conversation's id.

    The agent may have deleted it itself, and must not be able to block a deployment.
    """
    outcome = deployment.deploy()

    assert outcome.status == 0, outcome.output
    assert "[WARNING]" in outcome.text
    assert f'agent "first", entry "memory", conversation "{lost}"' in outcome.text
    assert ".jsonl" in outcome.text
    assert "is not there. Restore the transcript from a backup" in outcome.text


def test_a_deployment_is_accepted_again_when_its_transcript_is_back(
    deployment: Deployment,
) -> None:
    outcome = deployment.deploy()

    assert outcome.status == 0, outcome.output
