# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What clients of picoclaw's conversations read: each field, and of which type."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agentd.engine.protocol import Outbound

from .fakes import FakeEngine
from .running_app import Control, Parts, control, events
from .test_api_admin import reporting

Kinds = dict[str, type | tuple[type, ...]]
TEXT, MAYBE = str, (str, type(None))

HEALTH: Kinds = {
    **dict.fromkeys(("status", "version", "commit", "build_time"), TEXT),
    "max_execution_ms": int,
    "database": dict,
    "volumes": dict,
}
ANSWER: Kinds = {
    **dict.fromkeys(("status", "conversation_id", "message_id"), TEXT),
    **dict.fromkeys(("result", "model", "session_id", "error"), MAYBE),
    "duration_ms": int,
    "outbound_messages": list,
    "session_end_marker": TEXT,
    "session_end_marker_detected": bool,
}
CONVERSATION: Kinds = {
    **dict.fromkeys(("conversation_id", "last_activity", "status"), TEXT),
    "session_id": MAYBE,
    "message_count": int,
}
MESSAGE: Kinds = {
    **dict.fromkeys(("id", "conversation_id", "role", "content", "created_at"), TEXT),
    **dict.fromkeys(("sender", "sender_name"), MAYBE),
}
OUTBOUND: Kinds = {
    "id": int,
    **dict.fromkeys(("conversation_id", "text", "created_at"), TEXT),
    "sender": MAYBE,
}
SKILLS: Kinds = dict.fromkeys(("builtIn", "org", "user", "effective"), list)
STOPPING: Kinds = dict.fromkeys(("status", "reason", "message"), TEXT)


def demand(body: dict[str, Any], kinds: Kinds) -> None:
    """Demand that a body has these fields, of these types."""
    wrong = {
        name: body.get(name, "missing")
        for name, kind in kinds.items()
        if name not in body or not isinstance(body[name], kind)
    }
    assert wrong == {}


def is_date(text: str) -> bool:
    """Return whether a client's date parser takes the text, with its time zone."""
    return datetime.fromisoformat(text).tzinfo is not None


async def test_conversations_have_picoclaws_fields(tmp_path: Path) -> None:
    """J01, J08, J09."""
    async with control(tmp_path) as running:
        answer = (await running.say("one")).json()
        path = f"/chat/{answer['conversation_id']}"
        listed = (await running.client.get("/chat")).json()["conversations"][0]
        alone = (await running.client.get(path)).json()
        said = (await running.client.get(f"{path}/messages")).json()
        health = (await running.client.get("/health")).json()
        removed = await running.client.delete(path)

    demand(answer, ANSWER)
    for conversation in (listed, alone):
        demand(conversation, CONVERSATION)
        assert is_date(conversation["last_activity"])
    for message in said["messages"]:
        demand(message, MESSAGE)
        assert is_date(message["created_at"])
    demand(health, HEALTH)
    demand(health["database"], {"ok": bool, "conversations": int, "tasks": int})
    demand(health["volumes"], dict.fromkeys(("memory", "sessions", "store"), bool))
    assert (removed.status_code, removed.content) == (204, b"")


async def test_messages_between_turns_come_with_the_next_answer(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        first = (await running.say("one")).json()
        tell(running, first["conversation_id"], "Done: [[AGENTKEEP_SESSION_END]]")
        plain = (await running.say(conversation_id=first["conversation_id"])).json()
        tell(running, first["conversation_id"], "Done again.")
        streamed = await running.say(
            conversation_id=first["conversation_id"], stream=True
        )

    (outbound,) = plain["outbound_messages"]
    demand(outbound, OUTBOUND)
    assert is_date(outbound["created_at"])
    assert plain["session_end_marker_detected"] is True
    chunks = [data for name, data in events(streamed.text) if name == "chunk"]
    assert chunks[-1] == {"text": "Done again.", "sender": "tool"}


def tell(running: Control, conversation_id: str, text: str) -> None:
    """Let the agent say something that is no answer."""
    assert running.engine.outbound is not None
    running.engine.outbound(Outbound("main", conversation_id, text, "tool"))


async def test_skills_and_stopping_have_picoclaws_fields(tmp_path: Path) -> None:
    """F15, J12."""
    parts = Parts(spawner=reporting(), stop=lambda _reason: None)
    async with control(tmp_path, parts) as running:
        reloaded = (await running.client.post("/admin/reload-skills")).json()
        listed = (await running.client.get("/admin/skills")).json()
        stopping = (await running.client.post("/control/stop")).json()

    assert (reloaded["status"], stopping["status"]) == ("reloaded", "stopping")
    demand(reloaded["skills"], SKILLS)
    demand(listed["skills"], SKILLS)
    demand(stopping, STOPPING)
    assert stopping["reason"] == "api-stop"


@pytest.mark.parametrize("streams", [False, True])
async def test_a_busy_conversation_is_named(tmp_path: Path, streams: bool) -> None:
    engine = FakeEngine(gate=asyncio.Event())
    assert engine.gate is not None
    engine.gate.set()
    async with control(tmp_path, Parts(engine=engine)) as running:
        known = (await running.say()).json()["conversation_id"]
        engine.gate.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(running.say(conversation_id=known))
            while len(engine.wishes) < 2:
                await asyncio.sleep(0.01)
            busy = await running.say(conversation_id=known, stream=streams)
            kept = await running.client.delete(f"/chat/{known}")
            engine.gate.set()

    assert [one.status_code for one in (busy, kept)] == [409, 409]
    assert {one.json()["conversation_id"] for one in (busy, kept)} == {known}
