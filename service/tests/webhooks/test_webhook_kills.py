# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A control that is killed while webhooks come: each gives one task, or none yet.

Event and task are stored by one transaction, so there is nothing between the two; what
has no answer is delivered again, as whoever looks after a forge does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from control.service import START_SECONDS, ControlProcess
from forge.deliveries import Delivery, delivery

from .hooked import SETTINGS

COUNT, ROUNDS = 100, 2


@dataclass(frozen=True)
class Place:
    """Where control keeps its files; no agent's side ever comes."""

    directory: Path
    sockets_directory: Path


@pytest.fixture
def control(short_path: Path) -> Iterator[ControlProcess]:
    """A control that runs, with nobody beside it."""
    place = Place(short_path, short_path / "sockets")
    (place.sockets_directory / "main").mkdir(parents=True)
    (short_path / "definitions").mkdir()
    settings = {"forges": {"code": {"kind": "forgejo"}}}
    found = ControlProcess(place, settings=settings)
    try:
        launch(found)
        address = "/api/registry/webhooks/forgejo"
        answer = found.client.put(address, json=SETTINGS)
        assert answer.status_code == 200, answer.text
        yield found
    finally:
        found.__exit__()


def launch(control: ControlProcess) -> None:
    """Start control and wait until it answers."""
    control.launch()
    deadline = time.monotonic() + START_SECONDS
    while True:
        with suppress(httpx.TransportError):
            control.client.get("/health")
            return
        assert time.monotonic() < deadline, control.log()
        time.sleep(0.02)


def kill(control: ControlProcess) -> None:
    """End control at once."""
    assert control.process is not None
    control.process.kill()
    control.process.wait()


def send(control: ControlProcess, sent: Delivery) -> dict[str, Any] | None:
    """Send a webhook; return what became of it, or None if nobody answered."""
    with suppress(httpx.TransportError):
        answer = control.client.post(
            "/webhooks/forgejo",
            content=sent.body,
            headers={**sent.headers, "Authorization": ""},
        )
        assert answer.status_code in {200, 202}, answer.text
        return dict(answer.json())
    return None


def listed(control: ControlProcess, path: str, key: str) -> list[dict[str, Any]]:
    """Return everything that a list tells."""
    answer = control.client.get(path, params={"limit": 200})
    assert answer.status_code == 200, answer.text
    return list(answer.json()[key])


def test_each_webhook_gives_one_task_whenever_control_is_killed(
    control: ControlProcess,
) -> None:
    sent = [
        delivery("forgejo", "issue_comment.created", number=1 + number)
        for number in range(COUNT)
    ]
    told: dict[int, str] = {}
    generator = random.Random(6)

    for _round in range(ROUNDS):
        with ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(send, control, one) for one in sent]
            # Others are under way at that moment, at any step.
            answers[generator.randrange(5, 60)].result()
            kill(control)
        assert any(one.result() is None for one in answers)
        for number, answer in enumerate(answers):
            if (found := answer.result()) is not None:
                # Whatever was answered once is the same ever after.
                assert told.setdefault(number, found["task_id"]) == found["task_id"]
        launch(control)
    last = [send(control, one) for one in sent]
    events = listed(control, "/webhooks", "webhooks")
    tasks = listed(control, "/queue", "tasks")

    assert told
    ids = [one["task_id"] for one in last if one is not None]
    assert len(set(ids)) == COUNT == len(events) == len(tasks)
    assert {one["id"] for one in tasks} == set(ids)
    assert all(ids[number] == task_id for number, task_id in told.items())


def test_what_closing_left_to_remove_is_taken_up_after_a_kill(
    control: ControlProcess,
) -> None:
    """H09: no agent is there, so that it is left to the clean-ups each time."""
    sent = [
        delivery("forgejo", "issues.closed", number=1 + number) for number in range(40)
    ]

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(send, control, one) for one in sent]
        answers[5].result()
        kill(control)
    answered = sum(one.result() is not None for one in answers)
    launch(control)
    deadline = time.monotonic() + 20
    while any(
        one["outcome"] == "cleaning" for one in listed(control, "/webhooks", "webhooks")
    ):
        assert time.monotonic() < deadline, control.log()
        time.sleep(0.05)
    again = [send(control, one) for one in sent]

    assert answered > 0
    assert len(listed(control, "/webhooks", "webhooks")) == len(sent)
    assert sum(one is not None and one["repeated"] for one in again) >= answered
