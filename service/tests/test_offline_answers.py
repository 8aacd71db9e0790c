# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The offline model over HTTP: its two forms of an answer, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from agentd.offline_model.app import MAX_HELD_BYTES, create_app


def user(text: str) -> dict[str, object]:
    """Return what the user says."""
    return {"role": "user", "content": text}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the offline model in this process."""
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as opened:
        yield opened


async def test_one_answer_says_that_it_is_of_no_model(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(
        "/v1/messages", json={"model": "claude-x", "messages": [user("Hello")]}
    )

    answer = response.json()
    assert answer["model"] == "claude-x"
    assert answer["content"][0]["text"].startswith("[offline model, not a real model] ")
    assert answer["stop_reason"] == "end_turn"
    assert answer["usage"]["input_tokens"] > 0


async def test_a_stream_carries_the_text_and_the_tool_s_input(
    client: httpx.AsyncClient,
) -> None:
    text = 'tool Bash {"command": "id"}'

    response = await client.post(
        "/v1/messages", json={"stream": True, "messages": [user(text)]}
    )

    assert response.headers["content-type"].startswith("text/event-stream")
    events = [
        json.loads(line.removeprefix("data: "))
        for line in response.text.splitlines()
        if line.startswith("data: ")
    ]
    assert events[0]["type"] == "message_start"
    assert events[-1]["type"] == "message_stop"
    deltas = [event["delta"] for event in events if "delta" in event]
    assert {"type": "input_json_delta", "partial_json": '{"command": "id"}'} in deltas
    assert {"stop_reason": "tool_use", "stop_sequence": None} in deltas


async def test_a_failure_has_the_status_that_was_asked_for(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(
        "/v1/messages", json={"messages": [user("fail with status 529")]}
    )

    assert response.status_code == 529
    assert response.json()["error"]["type"] == "overloaded_error"


async def test_tokens_are_counted(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/messages/count_tokens", json={"messages": [user("Hello")]}
    )

    assert response.json()["input_tokens"] > 10


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"messages":["' + b"x" * (9 << 20) + b'"]}', 413),
        (b'{"messages":[' + b"[]," * 10**6 + b"1]}", 400),
        (b'{"messages":' + b"[" * 3000 + b"]" * 3000 + b"}", 400),
    ],
    ids=["large", "of many parts", "deep"],
)
async def test_a_body_that_would_take_much_memory_is_refused(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    response = await client.post("/v1/messages", content=body)

    assert response.status_code == status


async def test_an_answer_has_the_tokens_that_were_asked_for(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(
        "/v1/messages",
        json={"messages": [user("use 500 cache write tokens, use 9 output tokens")]},
    )

    usage = response.json()["usage"]
    assert usage["cache_creation_input_tokens"] == 500
    assert usage["output_tokens"] == 9


async def test_a_failure_says_how_long_to_wait(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/messages",
        json={"messages": [user("fail with status 429 and retry after 30")]},
    )

    assert response.status_code == 429
    assert response.headers["retry-after"] == "30"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages": 1}', b"[" * 10**5])
async def test_a_body_that_is_none_is_refused(
    client: httpx.AsyncClient, body: bytes
) -> None:
    response = await client.post("/v1/messages", content=body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_bodies_that_are_not_finished_are_bounded_together() -> None:
    app = create_app()
    stalled = asyncio.Event()
    piece = b"x" * (1 << 20)

    async def body() -> AsyncIterator[bytes]:
        for _unused in range(7):
            yield piece
        await stalled.wait()

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as asking:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(asking.post("/v1/messages", content=body()))
                for _unused in range(10)
            ]
            while app.state.held.bytes < 40 << 20 or not any(
                task.done() for task in asked
            ):
                await asyncio.sleep(0.01)
            most = app.state.held.bytes
            stalled.set()
        after = await asking.post("/v1/messages", json={"messages": [user("Hi")]})

    assert most <= MAX_HELD_BYTES
    assert {task.result().status_code for task in asked} == {400, 529}
    assert (app.state.held.bytes, after.status_code) == (0, 200)
