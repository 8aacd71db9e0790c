# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the gateway tells control: states, and who used how much."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from pathlib import Path

import httpx
import pytest
from conftest import free_port
from models import KEY, STATUS_SOCKET, client, control, gateway, kept, model, said
from starlette.responses import JSONResponse, StreamingResponse

from agentd.offline_model.stream import event

SESSION = "0b7c8f7e-3d5a-4c0e-9a39-5d8f0f6a1c11"


async def status_of(asking: httpx.AsyncClient) -> dict[str, object]:
    """Return the status document."""
    return dict((await asking.get("/status")).json())


@pytest.mark.parametrize(
    ("status", "kind", "state"),
    [
        (401, "authentication_error", "signed_out"),
        (403, "permission_error", "signed_out"),
        (429, "rate_limit_error", "rate_limited"),
        (503, "api_error", "overloaded"),
        (529, "overloaded_error", "overloaded"),
    ],
)
async def test_a_state_follows_the_model_s_answers_and_goes_with_the_next_good_one(
    short_path: Path, status: int, kind: str, state: str
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, "main", "mail", **kept(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        good = upstream.answer
        upstream.answer = lambda _: JSONResponse(
            {"type": "error", "error": {"type": kind, "message": "no"}},
            status_code=status,
            headers={"retry-after": "30"},
        )
        begun = time.time()
        await main.post("/v1/messages", json=said("Hi"))
        bad = await status_of(asking)
        upstream.answer = good
        await main.post("/v1/messages", json=said("Hi"))
        well = await status_of(asking)

    agents = bad["agents"]
    assert isinstance(agents, dict)
    assert bad["status"] == "degraded"
    assert agents["main"]["state"] == state
    assert agents["main"]["reason"] == f"The model answered {status} ({kind})."
    assert begun - 1 < agents["main"]["since"] < begun + 60
    end = agents["main"]["retry_after"]
    assert end is None if state == "signed_out" else begun + 29 < end < begun + 91
    assert agents["main"]["usage"]["failures"] == 1
    assert agents["mail"]["state"] == "ok", "one agent does not speak for another"
    assert well["status"] == "ok"


async def test_a_rate_limit_is_over_after_the_time_that_it_names(
    short_path: Path,
) -> None:
    async with (
        gateway(short_path, "offline", **kept(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        text = "fail with status 429 and retry after 1"
        answer = await main.post("/v1/messages", json=said(text))
        first = await status_of(asking)
        await asyncio.sleep(1.1)
        later = await status_of(asking)

    assert answer.headers["retry-after"] == "1"
    assert (first["status"], later["status"]) == ("degraded", "ok")


async def test_a_stream_that_breaks_off_overloaded_is_told(short_path: Path) -> None:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    pieces = [
        event("message_start", message={"usage": {"input_tokens": 5}}),
        event("error", error=error),
    ]
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        upstream.answer = lambda _: StreamingResponse(
            iter(pieces), media_type="text/event-stream"
        )
        await main.post("/v1/messages", json=said("Hi"))
        agents = (await status_of(asking))["agents"]

    assert isinstance(agents, dict)
    assert agents["main"]["state"] == "overloaded"


async def test_a_model_that_is_not_reached_is_a_fault_until_it_is(
    short_path: Path,
) -> None:
    port = free_port()
    async with (
        gateway(short_path, f"http://127.0.0.1:{port}", **kept(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        await main.post("/v1/messages", json=said("Hi"))
        status = await status_of(asking)

    faults = status["faults"]
    assert isinstance(faults, list)
    assert f"127.0.0.1:{port}" in faults[0]
    assert status["status"] == "degraded"


async def test_sessions_are_told_apart_by_the_hint_of_the_cli(short_path: Path) -> None:
    async with (
        gateway(short_path, "offline", "main", "mail", **kept(short_path)) as stack,
        client(stack) as main,
        client(stack, "mail") as mail,
        control(stack) as asking,
    ):
        hint = {"x-claude-code-session-id": SESSION.upper()}
        for tokens in (5, 6):
            text = f"use {tokens} input tokens, use 1 output tokens"
            await main.post("/v1/messages", json=said(text), headers=hint)
        # The same id from another agent is another session.
        await mail.post("/v1/messages", json=said("Hi"), headers=hint)
        found = (await asking.get("/sessions?agent=main")).json()
        unknown = await asking.get("/sessions?agent=other")

    (session,) = found["sessions"]
    assert session["session_id"] == SESSION
    assert session["usage"]["requests"] == 2
    assert session["usage"]["tokens"] == 13
    assert session["first_at"] <= session["last_at"]
    assert unknown.status_code == 404


async def test_no_agent_s_socket_answers_for_the_status(short_path: Path) -> None:
    """J14: the status socket is control's alone, and shows no key."""
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        for path in ("/status", "/sessions", "/sessions?agent=main"):
            assert (await main.get(path)).status_code == 404
        for path in ("/v1/messages", "/health"):
            assert (await asking.post(path, json={})).status_code == 404
        text = (await asking.get("/status")).text
        place = short_path / STATUS_SOCKET
        mode = stat.S_IMODE(os.stat(place).st_mode)

    assert KEY not in text
    assert mode == 0o660
    assert not place.exists(), "a gateway that is stopped leaves no socket"
