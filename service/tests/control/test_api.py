# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The HTTP API of control, with a scripted engine and scripted agents."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from agentd.app import Edges, create_app
from agentd.engine.protocol import TurnOutcome
from agentd.errors import (
    AgentLost,
    AgentUnavailable,
    CallTimedOut,
    CliFailed,
    SessionInUse,
    SessionNotFound,
)
from agentd.settings import AgentEntry, ControlSettings

from .fakes import LAST_UUID, FakeEngine, FakeSpawner

TOKEN = "s3cret"
ANSWER_KEYS = {
    *("status", "conversation_id", "message_id", "agent", "result", "error"),
    *("model", "session_id", "duration_ms", "persisted", "resumed", "notice"),
    *("outbound_messages", "session_end_marker", "session_end_marker_detected"),
}


@dataclass
class Control:
    """A running app with what it stands on."""

    client: httpx.AsyncClient
    engine: FakeEngine
    spawner: FakeSpawner

    async def say(self, message: str = "hello", **body: object) -> httpx.Response:
        return await self.client.post("/chat", json={"message": message, **body})


@dataclass
class Parts:
    """What a test may change before control starts."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    spawner: FakeSpawner = field(default_factory=FakeSpawner)
    token: str | None = None


@asynccontextmanager
async def control(
    directory: Path, parts: Parts | None = None
) -> AsyncIterator[Control]:
    used = parts or Parts()
    names = list(used.spawner.connected)
    settings = ControlSettings(
        component="control",
        deployment="demo",
        listen_host="127.0.0.1",
        database_url=f"sqlite+aiosqlite:///{directory}/agentd.db",
        agents=[AgentEntry(name=name) for name in names],
        max_execution_seconds=60,
    )
    edges = Edges(spawner=used.spawner, token=used.token)
    app = create_app(settings, engine=used.engine, edges=edges)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://control") as client,
    ):
        yield Control(client, used.engine, used.spawner)


def events(text: str) -> list[tuple[str, dict[str, object]]]:
    """Return the events of a stream, without comments."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


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
    assert running.spawner.calls[0][2] == {"session_id": first["session_id"]}
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

    assert (second["status"], second["error"]) == ("error", str(error))
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


async def test_a_stream_tells_start_chunks_and_done(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        response = await running.say(stream=True)

    told = events(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in told] == ["start", "chunk", "done"]
    assert set(told[-1][1]) == ANSWER_KEYS
    assert told[0][1]["conversation_id"] == told[-1][1]["conversation_id"]


async def test_a_stream_that_fails_tells_the_error_and_then_done(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        running.engine.script = [CliFailed("529")]
        response = await running.say(stream=True)

    told = events(response.text)
    assert [name for name, _ in told] == ["start", "chunk", "error", "done"]
    assert told[2][1] == {"error": "529", "status": "error"}


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
    assert [one["sender"] for one in said["messages"]] == ["u1", None]
    assert missing == [404, 404]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": " \n"},
        {"message": 7},
        {"message": "x", "colour": "red"},
        {"message": "x", "max_execution_ms": 0},
        {"message": "x", "max_thinking_tokens": -1},
        {"message": "x", "model": "--dangerous"},
        {"message": "x", "conversation_id": "../x"},
        [],
    ],
)
async def test_a_body_that_is_not_valid_is_refused_with_400(
    tmp_path: Path, body: object
) -> None:
    async with control(tmp_path) as running:
        response = await running.client.post("/chat", json=body)
        listed = (await running.client.get("/chat")).json()

    assert response.status_code == 400
    assert response.json()["error"]
    assert listed == {"conversations": []}


async def test_a_body_that_is_no_json_is_refused_with_400(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        response = await running.client.post(
            "/chat", content="{", headers={"Content-Type": "application/json"}
        )

    assert response.status_code == 400
    assert "error" in response.json()


async def test_unknown_conversations_and_agents_are_404(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        conversation = await running.say(conversation_id="conv-x")
        agent = await running.say(agent="nobody")
        path = await running.client.get("/nowhere")

    assert [r.status_code for r in (conversation, agent, path)] == [404, 404, 404]
    assert all(r.json()["error"] for r in (conversation, agent, path))


async def test_agents_that_are_not_there_give_503_with_a_time(tmp_path: Path) -> None:
    spawner = FakeSpawner(connected={"main": False})
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        response = await running.say()
        agents = (await running.client.get("/agents")).json()
        listed = (await running.client.get("/chat")).json()

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert agents[0]["connected"] is False
    assert listed == {"conversations": []}


async def test_a_full_pool_gives_503(tmp_path: Path) -> None:
    async with control(tmp_path, Parts(engine=FakeEngine(room=False))) as running:
        response = await running.say()

    assert response.status_code == 503


async def test_a_conversation_stays_with_its_agent(tmp_path: Path) -> None:
    """G01."""
    spawner = FakeSpawner(connected={"main": True, "mail": True})
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        first = (await running.say(agent="mail")).json()
        second = (await running.say(conversation_id=first["conversation_id"])).json()
        other = await running.say(
            conversation_id=first["conversation_id"], agent="main"
        )

    assert (first["agent"], second["agent"]) == ("mail", "mail")
    assert other.status_code == 404


async def test_the_longest_time_is_capped_by_the_settings(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        await running.say(max_execution_ms=500)
        await running.say(max_execution_ms=5_000_000)
        await running.say()

    assert running.engine.timeouts == [0.5, 60, 60]


async def test_thinking_asks_for_its_tokens(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        await running.say(thinking=True)
        await running.say(thinking=True, max_thinking_tokens=2048)
        await running.say()

    assert [w.thinking_tokens for w in running.engine.wishes] == [10_000, 2048, None]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        ("Basic s3cret", 401),
        ("Bearer", 401),
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
    ],
)
async def test_every_path_but_health_needs_the_token(
    tmp_path: Path, header: str | None, status: int
) -> None:
    """J07."""
    headers = {} if header is None else {"Authorization": header}
    async with control(tmp_path, Parts(token=TOKEN)) as running:
        answers = [
            await running.client.get(path, headers=headers)
            for path in ("/chat", "/agents", "/metrics", "/openapi.json")
        ]
        health = await running.client.get("/health")
        nowhere = await running.client.get("/nowhere", headers=headers)

    assert {answer.status_code for answer in answers} == {status}
    assert health.status_code == 200
    assert nowhere.status_code == (404 if status == 200 else 401)


async def test_the_request_id_is_echoed_or_made(tmp_path: Path) -> None:
    """J13."""
    async with control(tmp_path) as running:
        given = await running.client.get("/nowhere", headers={"X-Request-ID": "abc"})
        made = await running.client.get("/chat", headers={"X-Request-ID": "x" * 500})

    assert given.headers["X-Request-ID"] == given.json()["request_id"] == "abc"
    assert len(made.headers["X-Request-ID"]) == 36


async def test_a_body_that_is_too_large_is_413(tmp_path: Path) -> None:
    """J13: announced and not announced."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000

    async with control(tmp_path) as running:
        announced = await running.say("x" * 1_000_001)
        streamed = await running.client.post("/chat", content=pieces())

    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert announced.json()["error"]


async def test_health_tells_what_picoclaw_told_and_more(tmp_path: Path) -> None:
    """J01."""
    async with control(tmp_path) as running:
        await running.say()
        response = await running.client.get("/health")

    body = response.json()
    assert response.status_code == 200
    assert body["status"] == "ok"
    assert body["max_execution_ms"] == 60_000
    assert body["database"] == {
        "ok": True,
        "conversations": 1,
        "tasks": 0,
        "error": None,
    }
    assert body["volumes"] == dict.fromkeys(
        ("memory", "skills", "sessions", "store"), True
    )
    assert body["agents"] == {"declared": 1, "connected": 1}


@pytest.mark.parametrize(
    ("volumes", "status"),
    [
        ({"memory": True, "sessions": False, "skill_data": True}, "degraded"),
        ({"memory": False, "sessions": True, "skill_data": True}, "degraded"),
        ({"memory": True, "sessions": True, "skill_data": False}, "ok"),
    ],
)
async def test_a_volume_of_an_agent_degrades_the_status_and_not_the_code(
    tmp_path: Path, volumes: dict[str, object], status: str
) -> None:
    """J03, J05."""
    spawner = FakeSpawner(volumes=volumes)
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        response = await running.client.get("/health")
        agents = (await running.client.get("/agents")).json()

    assert response.status_code == 200
    assert response.json()["status"] == status
    assert agents[0]["ok"] is False


async def test_a_hundred_health_calls_ask_the_agents_once(tmp_path: Path) -> None:
    """J04: the probe is cheap."""
    async with control(tmp_path) as running:
        for _ in range(100):
            await running.client.get("/health")

    assert len(running.spawner.calls) == 1


async def test_metrics_count_turns(tmp_path: Path) -> None:
    async with control(tmp_path, Parts(spawner=FakeSpawner(holds=False))) as running:
        await running.say()
        text = (await running.client.get("/metrics")).text

    assert 'agentd_turns_total{agent="main",status="success"} 1.0' in text
    assert 'agentd_turns_unproved_total{agent="main"} 1.0' in text
    assert 'agentd_live_clients{agent="main"} 1.0' in text


async def test_openapi_tells_every_path_refusal_and_the_token(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        document = (await running.client.get("/openapi.json")).json()

    assert set(document["paths"]) == {
        *("/health", "/agents", "/chat", "/metrics"),
        *("/chat/{conversation_id}", "/chat/{conversation_id}/messages"),
    }
    say = document["paths"]["/chat"]["post"]
    assert {"200", "400", "401", "404", "409", "413", "503"} == set(say["responses"])
    assert say["security"] == [{"token": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    assert all(
        operation.get("description")
        for operations in document["paths"].values()
        for operation in operations.values()
    )
