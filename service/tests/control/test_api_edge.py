# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the API refuses, and what it tells of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .fakes import FakeEngine, FakeSpawner
from .running_app import TOKEN, Parts, control


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
        for _unused in range(11):
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
        for _unused in range(100):
            await running.client.get("/health")

    asked = [name for _agent, name, _given in running.spawner.calls]
    assert sorted(asked) == ["credentials_status", "probe", "skills"]


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

    assert set(document["paths"]) >= {
        *("/health", "/agents", "/chat", "/metrics", "/control/stop"),
        *("/admin/skills", "/admin/reload-skills"),
        *("/sessions", "/sessions/{session_id}/repair"),
        *("/chat/{conversation_id}", "/chat/{conversation_id}/messages"),
    }
    say = document["paths"]["/chat"]["post"]
    refused = {"400", "401", "404", "408", "409", "413", "500", "503", "507"}
    assert {"200"} | refused == set(say["responses"])
    assert say["security"] == [{"token": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    assert all(
        operation.get("description")
        for operations in document["paths"].values()
        for operation in operations.values()
    )
