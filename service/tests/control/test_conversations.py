# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations: their keys, what is said when they are resumed, clearing, dropping."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agentd.errors import SessionInUse, SessionNotFound

from .fakes import FakeEngine, FakeSpawner
from .running_app import Control, Parts, control, events

ISSUE = {"repository": "shop/web", "issue": "17"}


async def said(running: Control, known: str) -> list[dict[str, object]]:
    answer = await running.client.get(f"/chat/{known}/messages")
    found: list[dict[str, object]] = answer.json()["messages"]
    return found


def two() -> Parts:
    return Parts(spawner=FakeSpawner(connected={"main": True, "mail": True}))


async def test_an_issue_has_one_conversation_with_each_agent(tmp_path: Path) -> None:
    """G01."""
    async with control(tmp_path, two()) as running:
        first = (await running.say(**ISSUE)).json()
        again = (await running.say(**ISSUE)).json()
        mail = (await running.say(agent="mail", **ISSUE)).json()
        path = f"/chat/{first['conversation_id']}"
        known = (await running.client.get(path)).json()

    assert again["conversation_id"] == first["conversation_id"]
    assert mail["conversation_id"] != first["conversation_id"]
    assert mail["session_id"] != first["session_id"]
    assert (known["repository"], known["issue"]) == ("shop/web", "17")


async def test_parts_that_would_join_to_the_same_text_are_different_keys(
    tmp_path: Path,
) -> None:
    """G01: separators in parts cannot collide."""
    pairs = [("a/b", "c"), ("a", "b/c"), ("a:b", "c"), ("a", "b:c"), ("a%3Ab", "c")]
    async with control(tmp_path) as running:
        answers = [
            (await running.say(repository=repository, issue=issue)).json()
            for repository, issue in pairs
        ]

    assert len({one["conversation_id"] for one in answers}) == len(pairs)


async def test_two_that_begin_an_issue_at_once_begin_one_conversation(
    tmp_path: Path,
) -> None:
    """G01, G05, G18."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with control(tmp_path, parts) as running:
        tasks = [asyncio.ensure_future(running.say(**ISSUE)) for _unused in range(5)]
        await asyncio.sleep(0.2)
        assert parts.engine.gate is not None
        parts.engine.gate.set()
        answers = await asyncio.gather(*tasks)
        listed = (await running.client.get("/chat")).json()["conversations"]

    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409]
    assert len(listed) == 1


async def test_fifty_conversations_at_once_keep_their_sessions(tmp_path: Path) -> None:
    """G05."""
    async with control(tmp_path) as running:
        answers = await asyncio.gather(*(running.say(f"m{n}") for n in range(50)))
        told = {one.json()["conversation_id"]: one.json() for one in answers}
        path = "/chat?limit=100"
        listed = (await running.client.get(path)).json()["conversations"]

    assert {one["id"]: one["session_id"] for one in listed} == {
        known: answer["session_id"] for known, answer in told.items()
    }


async def test_a_resumed_session_is_told_less_and_a_new_one_all(
    tmp_path: Path,
) -> None:
    """G16: full, delta, and full again after the session was refused."""
    short = {"message_if_resumed": "what changed"}
    async with control(tmp_path) as running:
        known = (await running.say("all of it", **short)).json()["conversation_id"]
        await running.say("all of it", conversation_id=known, **short)
        running.engine.alive.clear()
        running.engine.script.append(SessionNotFound("No conversation found"))
        answer = (await running.say("all again", conversation_id=known, **short)).json()
        told = await said(running, known)

    assert running.engine.said == [
        "all of it",
        "what changed",
        "what changed",
        "all again",
    ]
    assert (answer["status"], answer["resumed"]) == ("success", False)
    assert [one["content"] for one in told if one["role"] == "user"] == [
        "all of it",
        "what changed",
        "all again",
    ]


async def test_a_session_that_was_in_use_is_told_all(tmp_path: Path) -> None:
    """G16: its first message may never have reached it."""
    parts = Parts(engine=FakeEngine(script=[SessionInUse("already in use")]))
    async with control(tmp_path, parts) as running:
        await running.say("all of it", message_if_resumed="what changed")

    assert running.engine.said == ["all of it", "all of it"]


async def test_a_clear_begins_a_new_session_and_says_nothing_to_the_model(
    tmp_path: Path,
) -> None:
    """G19."""
    async with control(tmp_path) as running:
        first = (await running.say("hello")).json()
        named = {"conversation_id": first["conversation_id"]}
        cleared = (await running.say(" /clear\n", **named)).json()
        running.spawner.exists = False
        third = (await running.say("who am I?", **named)).json()
        told = await said(running, first["conversation_id"])

    assert (cleared["status"], cleared["persisted"]) == ("success", True)
    assert "forgotten" in cleared["notice"]
    assert running.engine.said == ["hello", "who am I?"]
    assert running.engine.closed == [first["conversation_id"]]
    assert third["session_id"] == cleared["session_id"] != first["session_id"]
    assert third["resumed"] is False
    assert "no longer on the disk" not in third["notice"]
    assert running.engine.wishes[-1].resume is False
    assert [one["status"] for one in told] == [
        *("said", "success", "said", "cleared", "said", "success"),
    ]


async def test_a_clear_is_streamed_like_any_answer(tmp_path: Path) -> None:
    """G19."""
    async with control(tmp_path) as running:
        response = await running.say("/clear", stream=True)

    assert [name for name, _data in events(response.text)] == ["start", "done"]


async def test_the_sessions_of_an_issue_are_dropped_and_counted(
    tmp_path: Path,
) -> None:
    """G08."""
    async with control(tmp_path, two()) as running:
        first = (await running.say(**ISSUE)).json()
        await running.say(agent="mail", **ISSUE)
        await running.say("about something else")

        drop = running.service.work.drop_sessions
        counts = [await drop(*ISSUE.values()) for _time in range(2)]
        after = (await running.say(**ISSUE)).json()
        single = [
            await running.turns.resting.drop_session(after["conversation_id"])
            for _time in range(2)
        ]

    assert counts == [2, 0]
    assert after["conversation_id"] == first["conversation_id"]
    assert after["session_id"] != first["session_id"]
    assert after["resumed"] is False
    assert single == [True, False]


async def test_none_is_dropped_while_one_of_them_is_in_a_turn(tmp_path: Path) -> None:
    """G08, G18."""
    parts = two()
    async with control(tmp_path, parts) as running:
        await running.say(**ISSUE)
        parts.engine.gate = asyncio.Event()
        busy = asyncio.ensure_future(running.say(agent="mail", **ISSUE))
        await asyncio.sleep(0.1)
        refused = await running.client.delete("/sessions", params=ISSUE)
        parts.engine.gate.set()
        await busy
        dropped = await running.client.delete("/sessions", params=ISSUE)

    assert refused.status_code == 409
    assert dropped.json()["dropped"] == 2


async def test_the_agents_own_prompt_and_tools_go_into_the_wish(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        await running.say(mcp_servers={"x": {"command": "true"}})

    (wanted,) = running.engine.wishes
    assert wanted.tools == ("send_message",)
    assert wanted.mcp_servers_json is not None
