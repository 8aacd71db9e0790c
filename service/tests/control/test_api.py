# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Turns over HTTP: sessions, locks, proofs and streams."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from agentd.engine.protocol import TurnOutcome
from agentd.errors import (
    AgentLost,
    AgentUnavailable,
    CallTimedOut,
    CliFailed,
    SessionInUse,
    SessionNotFound,
)

from .fakes import LAST_UUID, FakeEngine, FakeSpawner
from .running_app import ANSWER_KEYS, Parts, control


async def test_a_turn_answers_with_every_field_and_its_proof(tmp_path: Path) -> None:
    """J08."""
    async with control(tmp_path) as running:
        response = await running.say("hello", sender="u1", sender_name="Una")

        body = response.json()
        assert response.status_code == 200
        assert set(body) == ANSWER_KEYS
        assert body["status"] == "success"
        assert body["result"] == "echo hello"
        assert body["conversation_id"].startswith("conv-")
        assert (body["persisted"], body["resumed"], body["notice"]) == (
            True,
            False,
            None,
        )
        assert running.spawner.calls == [
            (
                "main",
                "transcript_state",
                {"session_id": body["session_id"], "uuid": LAST_UUID},
            )
        ]


async def test_the_session_id_is_stored_before_anything_is_said(tmp_path: Path) -> None:
    """G02."""
    engine = FakeEngine(gate=asyncio.Event())
    async with control(tmp_path, Parts(engine=engine)) as running:
        task = asyncio.ensure_future(running.say())
        while not engine.wishes:
            await asyncio.sleep(0.001)
        direct = sqlite3.connect(tmp_path / "agentd.db")
        stored = direct.execute("SELECT session_id, durable FROM sessions").fetchall()
        direct.close()
        assert engine.gate is not None
        engine.gate.set()
        await task

    assert stored == [(engine.wishes[0].session_id, 0)]


async def test_a_following_turn_goes_on_in_the_live_session(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        second = (await running.say(conversation_id=first["conversation_id"])).json()

    assert second["session_id"] == first["session_id"]
    assert second["resumed"] is True
    assert [wish.resume for wish in running.engine.wishes] == [False, True]


async def test_without_a_live_client_the_transcript_is_looked_for(
    tmp_path: Path,
) -> None:
    """G09."""
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        running.engine.alive.clear()
        running.spawner.calls.clear()
        second = (await running.say(conversation_id=first["conversation_id"])).json()

    assert second["session_id"] == first["session_id"]
    asked = [one for one in running.spawner.calls if one[1] == "transcript_state"]
    assert asked[0][2] == {"session_id": first["session_id"]}
    assert running.engine.wishes[1].resume is True


async def test_a_lost_transcript_gives_a_new_session_and_says_so(
    tmp_path: Path,
) -> None:
    """G09: absent, so start fresh, warn, drop the id."""
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        running.engine.alive.clear()
        running.spawner.exists = False
        second = (await running.say(conversation_id=first["conversation_id"])).json()
        chat = (await running.client.get(f"/chat/{first['conversation_id']}")).json()

    assert second["session_id"] != first["session_id"]
    assert second["resumed"] is False
    assert "no longer on the disk" in second["notice"]
    assert chat["session_id"] == second["session_id"]


async def test_a_refused_resume_falls_back_once(tmp_path: Path) -> None:
    """G10."""
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        running.engine.alive.clear()
        running.engine.script = [SessionNotFound("No conversation found")]
        second = (await running.say(conversation_id=first["conversation_id"])).json()

    assert second["status"] == "success"
    assert second["session_id"] != first["session_id"]
    assert [wish.resume for wish in running.engine.wishes] == [False, True, False]
    assert "could not resume" in second["notice"]


async def test_a_second_refusal_is_returned(tmp_path: Path) -> None:
    """G10: no loop."""
    refusals: list[TurnOutcome | Exception] = [
        SessionNotFound("1"),
        SessionNotFound("2"),
    ]
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        running.engine.alive.clear()
        running.engine.script = refusals
        second = (await running.say(conversation_id=first["conversation_id"])).json()

    assert (second["status"], second["error"]) == ("error", "2")
    assert len(running.engine.wishes) == 3


async def test_a_new_id_that_is_in_use_is_resumed(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        running.engine.script = [SessionInUse("in use")]
        body = (await running.say()).json()

    assert body["status"] == "success"
    first, second = running.engine.wishes
    assert (first.session_id, first.resume) == (second.session_id, False)
    assert second.resume is True


@pytest.mark.parametrize(
    "error", [CliFailed("529"), AgentLost("gone"), AgentUnavailable("away")]
)
async def test_other_errors_keep_the_session_and_free_the_lock(
    tmp_path: Path, error: Exception
) -> None:
    """G11, G18."""
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        conversation_id = first["conversation_id"]
        running.engine.alive.clear()
        running.engine.script = [error]
        second = (await running.say(conversation_id=conversation_id)).json()
        third = (await running.say(conversation_id=conversation_id)).json()

    assert second["status"] == "error"
    assert second["error"].startswith(str(error))
    assert third["status"] == "success"
    assert {one["session_id"] for one in (first, second, third)} == {
        first["session_id"]
    }


async def test_a_turn_that_is_not_on_disk_is_told_loudly(tmp_path: Path) -> None:
    spawner = FakeSpawner(holds=False)
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        body = (await running.say()).json()

    assert (body["status"], body["persisted"]) == ("success", False)
    assert "could not be proved" in body["notice"]


async def test_no_answer_to_the_proof_proves_nothing(tmp_path: Path) -> None:
    spawner = FakeSpawner(error=CallTimedOut("late"))
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        body = (await running.say()).json()

    assert (body["status"], body["persisted"]) == ("success", False)


async def test_another_session_id_in_the_answer_is_stored(tmp_path: Path) -> None:
    """G03."""
    other = "44444444-4444-4444-8444-444444444444"
    outcome = TurnOutcome("success", "x", None, None, other, LAST_UUID)
    async with control(tmp_path) as running:
        running.engine.script = [outcome]
        body = (await running.say()).json()
        chat = (await running.client.get(f"/chat/{body['conversation_id']}")).json()

    assert body["session_id"] == chat["session_id"] == other


async def test_an_agent_cannot_claim_the_session_of_another_conversation(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        first = (await running.say()).json()
        running.engine.script = [
            TurnOutcome("success", "x", None, None, first["session_id"], LAST_UUID)
        ]
        second = (await running.say()).json()

    assert second["session_id"] != first["session_id"]


async def test_a_busy_conversation_is_refused_and_not_removed(tmp_path: Path) -> None:
    """J08, J09, G18."""
    engine = FakeEngine()
    async with control(tmp_path, Parts(engine=engine)) as running:
        conversation_id = (await running.say()).json()["conversation_id"]
        engine.gate = asyncio.Event()
        task = asyncio.ensure_future(running.say(conversation_id=conversation_id))
        while len(engine.wishes) < 2:
            await asyncio.sleep(0.001)
        busy = await running.say(conversation_id=conversation_id)
        kept = await running.client.delete(f"/chat/{conversation_id}")
        shown = await running.client.get(f"/chat/{conversation_id}")
        engine.gate.set()
        done = await task
        removed = await running.client.delete(f"/chat/{conversation_id}")
        again = await running.client.delete(f"/chat/{conversation_id}")

    assert (busy.status_code, kept.status_code) == (409, 409)
    assert shown.json()["status"] == "running"
    assert done.json()["status"] == "success"
    assert (removed.status_code, again.status_code) == (204, 404)
    assert engine.closed[0] == conversation_id


async def test_a_caller_that_goes_away_does_not_end_the_turn(tmp_path: Path) -> None:
    engine = FakeEngine(gate=asyncio.Event())
    async with control(tmp_path, Parts(engine=engine)) as running:
        task = asyncio.ensure_future(running.say())
        while not engine.wishes:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        conversation_id = engine.wishes[0].conversation_id
        assert engine.gate is not None
        engine.gate.set()
        path = f"/chat/{conversation_id}"
        while (await running.client.get(path)).json()["status"] == "running":
            await asyncio.sleep(0.001)
        said = (await running.client.get(f"{path}/messages")).json()["messages"]

    assert [(one["role"], one["content"]) for one in said] == [
        ("user", "hello"),
        ("assistant", "echo hello"),
    ]


async def test_conversations_are_listed_and_read(tmp_path: Path) -> None:
    """J09."""
    async with control(tmp_path) as running:
        first = (await running.say("one", sender="u1")).json()["conversation_id"]
        second = (await running.say("two")).json()["conversation_id"]
        listed = (await running.client.get("/chat")).json()["conversations"]
        said = (await running.client.get(f"/chat/{first}/messages")).json()
        missing = [
            (await running.client.get(path)).status_code
            for path in ("/chat/conv-x", "/chat/conv-x/messages")
        ]

    assert [one["id"] for one in listed] == [second, first]
    assert listed[0]["message_count"] == 2
    assert listed[0]["live"] is True
    assert [one["durable"] for one in listed] == [True, True]
    assert [one["sender"] for one in said["messages"]] == ["u1", "assistant"]
    assert missing == [404, 404]
