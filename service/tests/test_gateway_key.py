# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Whose sign-in goes to the model: a key that is changed, or the agent's own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from models import KEY, client, control, gateway, kept, model, said
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from agentd.offline_model.stream import event


def replace(path: Path, content: str) -> None:
    """Put a new file in the place of the old one, as the role does."""
    new = path.with_name("new")
    new.write_text(content)
    os.replace(new, path)


async def test_a_new_key_is_used_at_once_and_no_running_turn_is_lost(
    short_path: Path,
) -> None:
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield event("message_start", message={"usage": {"input_tokens": 1}})
        await go_on.wait()
        yield event("message_stop")

    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path)) as stack,
        client(stack) as main,
    ):
        upstream.answer = lambda _: StreamingResponse(
            pieces(), media_type="text/event-stream"
        )
        async with main.stream("POST", "/v1/messages", json=said("Hi")) as running:
            chunks = running.aiter_raw()
            await anext(chunks)
            replace(short_path / "key", "sk-ant-the-next-key\n")
            upstream.answer = lambda _: JSONResponse({})
            await main.post("/v1/messages", json=said("Hi"))
            go_on.set()
            rest = b"".join([chunk async for chunk in chunks])
        used = [names["x-api-key"] for _url, names, _body in upstream.requests]
        log = stack.log("gateway")

    assert used == [KEY, "sk-ant-the-next-key"]
    assert b"message_stop" in rest
    assert "model_key_changed" in log
    assert "sk-ant" not in log


async def test_a_new_key_ends_being_signed_out(short_path: Path) -> None:
    def only_next(request: Request) -> Response:
        is_next = request.headers["x-api-key"] == "next"
        return JSONResponse({}, status_code=200 if is_next else 401)

    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        upstream.answer = only_next
        refused = await main.post("/v1/messages", json=said("Hi"))
        before = (await asking.get("/status")).json()["agents"]["main"]["state"]
        replace(short_path / "key", "next")
        answered = await main.post("/v1/messages", json=said("Hi"))
        after = (await asking.get("/status")).json()["agents"]["main"]["state"]

    assert refused.status_code == 401
    assert refused.headers["x-should-retry"] == "false"
    assert answered.status_code == 200
    assert (before, after) == ("signed_out", "ok")


async def test_a_key_that_cannot_be_used_leaves_the_old_one_in_force(
    short_path: Path,
) -> None:
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **kept(short_path)) as stack,
        client(stack) as main,
        control(stack) as asking,
    ):
        for content in ("", "two words", "line\nline", "é"):
            replace(short_path / "key", content)
            assert (await main.post("/v1/messages", json=said("Hi"))).status_code == 200
            (fault,) = (await asking.get("/status")).json()["faults"]
            assert str(short_path / "key") in fault
        (short_path / "key").unlink()
        assert (await main.post("/v1/messages", json=said("Hi"))).status_code == 200
        replace(short_path / "key", KEY)
        await main.post("/v1/messages", json=said("Hi"))
        status = (await asking.get("/status")).json()
        used = {names["x-api-key"] for _url, names, _body in upstream.requests}

    assert used == {KEY}
    assert status["faults"] == []


async def test_an_agent_s_own_sign_in_passes_for_that_agent_alone(
    short_path: Path,
) -> None:
    rules = kept(short_path, rules={"main": {"sign_in": "direct"}})
    own = {"authorization": "Bearer of-main", "x-api-key": "of-main", "cookie": "a=b"}
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, "main", "mail", **rules) as stack,
        client(stack) as main,
        client(stack, "mail") as mail,
    ):
        await main.post("/v1/messages", json=said("Hi"), headers=own)
        await mail.post("/v1/messages", json=said("Hi"), headers=own)
        unsigned = await main.post("/v1/messages", json=said("Hi"))
        of_main, of_mail = (names for _url, names, _body in upstream.requests)

    assert of_main["authorization"] == "Bearer of-main"
    assert not {"x-api-key", "cookie"} & set(of_main)
    assert of_mail["x-api-key"] == KEY
    assert "authorization" not in of_mail
    assert unsigned.status_code == 401
    assert unsigned.headers["x-should-retry"] == "false"
    assert "sign_in" in unsigned.json()["error"]["message"]
