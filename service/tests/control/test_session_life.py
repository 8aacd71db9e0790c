# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The life of a session: rotation, its place, earlier points, and its proof."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agentd.clock import Clock

from .fakes import FakeSpawner
from .running_app import Parts, control

DAY = 86_400.0


@dataclass
class Hand:
    """A clock that a test sets."""

    now: float = 1_000_000.0

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now)


async def test_a_transcript_that_grew_too_large_is_followed_by_a_new_session(
    tmp_path: Path,
) -> None:
    """G20: also in a live client, and told."""
    parts = Parts(settings={"session_max_bytes": 1000})
    async with control(tmp_path, parts) as running:
        first = (await running.say()).json()
        named = {"conversation_id": first["conversation_id"]}
        running.spawner.size = 1001
        second = (await running.say(**named)).json()
        third = (await running.say(**named)).json()
        running.spawner.size = 10
        fourth = (await running.say(**named)).json()
        fifth = (await running.say(**named)).json()

    assert second["session_id"] == first["session_id"]
    assert third["session_id"] != first["session_id"]
    assert "session_max_bytes" in third["notice"]
    assert fourth["session_id"] != third["session_id"]
    assert fifth["session_id"] == fourth["session_id"]


async def test_a_session_that_is_too_old_is_followed_by_a_new_one(
    tmp_path: Path,
) -> None:
    """G20."""
    hand = Hand()
    parts = Parts(settings={"session_max_days": 14.0}, clock=hand.clock())
    async with control(tmp_path, parts) as running:
        first = (await running.say()).json()
        named = {"conversation_id": first["conversation_id"]}
        hand.now += 13 * DAY
        second = (await running.say(**named)).json()
        hand.now += 2 * DAY
        third = (await running.say(**named)).json()

    assert second["session_id"] == first["session_id"]
    assert third["session_id"] != first["session_id"]
    assert "session_max_days" in third["notice"]


async def test_another_working_directory_is_told_once(tmp_path: Path) -> None:
    """G12: the place is stored with the session, and a change is warned of."""
    parts = Parts(spawner=FakeSpawner(report={"working_directory": "/data/memory"}))
    async with control(tmp_path, parts) as running:
        known = (await running.say()).json()["conversation_id"]
        parts.spawner.report["working_directory"] = "/data/other"
        answers = []
        for _time in range(2):
            running.engine.alive.clear()
            answers.append((await running.say(conversation_id=known)).json())

    assert "/data/memory" in answers[0]["notice"]
    assert "/data/other" in answers[0]["notice"]
    assert answers[1]["notice"] is None
    assert [one["resumed"] for one in answers] == [True, True]


async def test_a_turn_can_begin_at_an_earlier_message(tmp_path: Path) -> None:
    """G17: in a client of its own, and only if the session is resumed."""
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        point = {"resume_at": first["last_message_uuid"]}
        known = first["conversation_id"]
        await running.say(conversation_id=known, **point)
        await running.say(**point)

    assert running.engine.closed[0] == known
    assert [one.resume_at for one in running.engine.wishes] == [
        None,
        first["last_message_uuid"],
        None,
    ]


@pytest.mark.parametrize("exists", [True, False])
async def test_an_agent_is_degraded_until_a_turn_of_it_is_proved(
    tmp_path: Path, exists: bool
) -> None:
    """G15, J02: named in health, over a restart, and never a 503."""
    parts = Parts(spawner=FakeSpawner(holds=False, exists=exists))
    async with control(tmp_path, parts) as running:
        await running.say()
    async with control(tmp_path, parts) as running:
        health = await running.client.get("/health")
        named = list(running.turns.unproved_agents())
        parts.spawner.holds = parts.spawner.exists = True
        await running.say()
        after = (await running.client.get("/health")).json()["status"]

    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert "main" in " ".join(health.json()["problems"])
    assert named == ["main"]
    assert after == "ok"
