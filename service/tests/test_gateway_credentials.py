# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Credentials that control gives the gateway: used at once, kept, never shown."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from models import KEY, client, control, gateway, kept, model, said
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from agentd.offline_model.stream import event

UPLOADED = "sk-ant-api03-uploaded"
TOKEN = "sk-ant-oat01-uploaded"
UNTIL_REMOVED = {
    "status": "valid",
    "source": "uploaded",
    "kind": "api_key",
    "expires_at": None,
    "declared_unused": True,
}


def places(directory: Path, **settings: object) -> dict[str, Any]:
    """Return the settings of a gateway that takes credentials."""
    (directory / "credentials").mkdir(exist_ok=True)
    place = {"credentials_directory": str(directory / "credentials")}
    return kept(directory, **place, **settings)


async def put(asking: httpx.AsyncClient, value: object) -> httpx.Response:
    """Give the gateway what control was given."""
    return await asking.put("/credentials", content=json.dumps(value))


async def pieces(go_on: asyncio.Event) -> AsyncIterator[bytes]:
    """Yield an answer that ends only when it may."""
    yield event("message_start", message={"usage": {"input_tokens": 1}})
    await go_on.wait()
    yield event("message_stop")


async def test_an_uploaded_key_is_used_at_once_and_no_running_turn_is_lost(
    short_path: Path,
) -> None:
    """P09: before the declared one, which is used again when it is removed."""
    go_on = asyncio.Event()
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **places(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        declared = (await asking.get("/credentials")).json()
        upstream.answer = lambda _: StreamingResponse(
            pieces(go_on), media_type="text/event-stream"
        )
        async with main.stream("POST", "/v1/messages", json=said("Hi")) as running:
            chunks = running.aiter_raw()
            await anext(chunks)
            uploaded = await put(asking, {"api_key": UPLOADED})
            upstream.answer = lambda _: JSONResponse({})
            await main.post("/v1/messages", json=said("Hi"))
            go_on.set()
            rest = b"".join([chunk async for chunk in chunks])
        removed = (await asking.delete("/credentials")).json()
        await main.post("/v1/messages", json=said("Hi"))
        used = [names["x-api-key"] for _url, names, _body in upstream.requests]
        log = stack.log("gateway")

    assert used == [KEY, UPLOADED, KEY]
    assert b"message_stop" in rest
    assert (declared["status"], declared["source"]) == ("valid", "declared")
    assert uploaded.json() == UNTIL_REMOVED
    assert removed["source"] == "declared"
    assert "credentials_uploaded" in log
    assert "sk-ant" not in log, "J14"


async def test_an_uploaded_sign_in_goes_as_a_bearer_with_its_beta(
    short_path: Path,
) -> None:
    """P09, wrapped: of a file, only what is used is held, and it outlives kill -9."""
    ends = round(time.time() + 900) * 1000
    inner = {"accessToken": TOKEN, "refreshToken": "of-nobody", "expiresAt": ends}
    betas = {"anthropic-beta": "one-beta,oauth-2025-04-20"}
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **places(short_path)) as stack,
    ):
        async with client(stack) as main, control(stack) as asking:
            answer = await put(asking, {"claudeAiOauth": inner})
            await main.post("/v1/messages", json=said("Hi"))
        assert stack.gateway is not None
        stack.gateway.send_signal(signal.SIGKILL)
        await asyncio.to_thread(stack.gateway.wait)
        settings = json.loads((short_path / "gateway.json").read_text())
        await asyncio.to_thread(lambda: stack.start_gateway(**settings))
        async with client(stack) as main:
            await main.post("/v1/messages", json=said("Hi"), headers=betas)
        directory = short_path / "credentials"
        (file,) = directory.iterdir()
        content = file.read_text()

    assert (answer.json()["status"], answer.json()["kind"]) == (
        "refresh_needed",
        "oauth",
    )
    assert answer.json()["expires_at"] == ends / 1000
    for _url, names, _body in upstream.requests:
        assert names["authorization"] == f"Bearer {TOKEN}"
        assert "x-api-key" not in names
    first, second = (names for _url, names, _body in upstream.requests)
    assert first["anthropic-beta"] == "oauth-2025-04-20"
    assert second["anthropic-beta"] == "one-beta,oauth-2025-04-20"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert "of-nobody" not in content


async def test_a_gateway_without_a_key_says_so_until_one_is_uploaded(
    short_path: Path,
) -> None:
    """P11: missing, valid, and signed_out by the model's own word."""

    def only(request: Request) -> Response:
        good = request.headers.get("x-api-key") == UPLOADED
        return JSONResponse({}, status_code=200 if good else 401)

    states = []
    settings = places(short_path, api_key_file=None)
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **settings) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        upstream.answer = only

        async def note() -> int:
            answer = await main.post("/v1/messages", json=said("Hi"))
            states.append((await asking.get("/credentials")).json()["status"])
            return answer.status_code

        without = await note()
        (lack,) = (await asking.get("/status")).json()["faults"]
        await put(asking, {"api_key": "sk-ant-api03-revoked"})
        refused = await note()
        await put(asking, {"api_key": UPLOADED})
        taken = await note()
        asked = len(upstream.requests)
        whole = (await asking.get("/status")).json()

    assert (without, refused, taken) == (401, 401, 200)
    assert states == ["missing", "signed_out", "valid"]
    assert asked == 2, "without a key nothing is sent"
    assert "POST /api/credentials" in lack
    assert (whole["status"], whole["faults"]) == ("ok", [])


async def test_a_declared_key_that_is_not_used_is_said(short_path: Path) -> None:
    """Who changes the key by a play would else not know why nothing changes."""
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **places(short_path)) as stack,
        control(stack) as asking,
    ):
        await put(asking, {"api_key": UPLOADED})
        before = stack.log("gateway").count("declared_key_not_used")
        for key in (KEY, KEY, "sk-ant-api03-declared-anew"):
            new = short_path / "new"
            new.write_text(key)
            os.replace(new, short_path / "key")
            status = (await asking.get("/status")).json()
        log = stack.log("gateway")

    assert before == 0
    assert log.count("declared_key_not_used") == 2
    assert status["faults"] == []
    assert "sk-ant" not in log


async def test_what_cannot_be_kept_leaves_the_old_one_in_force(
    short_path: Path,
) -> None:
    settings = places(short_path)
    directory = short_path / "credentials"
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **settings) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        await put(asking, {"api_key": UPLOADED})
        directory.rename(short_path / "moved")
        failed = await put(asking, {"api_key": "sk-ant-api03-of-no-disk"})
        (short_path / "moved").rename(directory)
        await main.post("/v1/messages", json=said("Hi"))
        used = [names["x-api-key"] for _url, names, _body in upstream.requests]

    assert failed.status_code == 503
    assert str(directory) in failed.json()["error"]
    assert used == [UPLOADED]


@pytest.mark.parametrize("kind", ["torn", "link", "fifo", "large"])
async def test_a_damaged_upload_is_a_fault_and_the_declared_key_is_used(
    short_path: Path, kind: str
) -> None:
    settings = places(short_path)
    path = short_path / "credentials/uploaded.json"
    (path.parent / f".{path.name}.0123456789abcdef").write_text("left by a kill")
    if kind == "torn":
        path.write_text('{"api_key": "sk-ant')
    elif kind == "large":
        path.write_text(" " * 70_000)
    elif kind == "link":
        path.symlink_to(short_path / "key")
    else:
        os.mkfifo(path)
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **settings) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        await main.post("/v1/messages", json=said("Hi"))
        (fault,) = (await asking.get("/status")).json()["faults"]
        await put(asking, {"api_key": UPLOADED})
        await main.post("/v1/messages", json=said("Hi"))
        healed = (await asking.get("/status")).json()["faults"]
        used = [names["x-api-key"] for _url, names, _body in upstream.requests]

    assert str(path) in fault
    assert used == [KEY, UPLOADED]
    assert healed == []
    assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_the_token_file_of_an_earlier_system_is_taken_over_once(
    short_path: Path,
) -> None:
    """P12, P11: an old one that has expired is said to be."""
    settings = places(short_path)
    old = short_path / "credentials/claude.json"
    old.write_text(json.dumps({"accessToken": TOKEN, "expiresAt": 1000}))
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **settings) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        await main.post("/v1/messages", json=said("Hi"))
        shown = (await asking.get("/credentials")).json()
        (fault,) = (await asking.get("/status")).json()["faults"]
        (_url, names, _body) = upstream.requests[0]

    assert names["authorization"] == f"Bearer {TOKEN}"
    assert (shown["status"], shown["source"]) == ("expired", "uploaded")
    assert "expired" in fault
    assert sorted(os.listdir(old.parent)) == [
        "claude.json.migrated.bak",
        "uploaded.json",
    ]


async def test_the_offline_model_takes_no_credentials_and_no_agent_reaches_them(
    short_path: Path,
) -> None:
    """J14: the socket of an agent knows no such path."""
    async with (
        gateway(short_path, "offline", **places(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        shown = (await asking.get("/credentials")).json()
        refused = await put(asking, {"api_key": UPLOADED})
        from_agent = await main.put("/credentials", json={"api_key": UPLOADED})
        large = await put(asking, {"api_key": "x" * 70_000})
        (short_path / "credentials/uploaded.json").write_text("of-before")
        removed = (await asking.delete("/credentials")).json()

    assert shown["status"] == removed["status"] == "not_used"
    assert (refused.status_code, large.status_code) == (409, 409)
    assert "deployment_uploaded_credentials" in refused.json()["error"]
    assert from_agent.status_code == 404
    assert list((short_path / "credentials").iterdir()) == []
