# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks followed over a WebSocket, by readers of every kind."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from control.fakes import FakeEngine
from control.running_app import TOKEN, Parts
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agentd.api.queue_socket import MAX_MESSAGES

from .served import Served, heard, raw, served, signed_in

KEY = base64.b64encode(b"0123456789abcdef").decode()
BROWSER = ["agentkeep.events", f"agentkeep.bearer.{TOKEN}"]
HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {KEY}",
)
BIG = {"words": "x" * 30_000}


async def refused(running: Served, task_id: str, **more: Any) -> httpx.Response:
    """Open a socket that is refused; return the answer in the place of the upgrade."""
    with pytest.raises(InvalidStatus) as caught:
        async with running.socket(task_id, **more):
            pass
    answer = caught.value.response
    headers = list(answer.headers.raw_items())
    return httpx.Response(
        answer.status_code, headers=headers, content=bytes(answer.body)
    )


async def test_a_task_is_followed_live_and_late_alike(tmp_path: Path) -> None:
    gate = asyncio.Event()
    parts = Parts(token=TOKEN, engine=FakeEngine(gate=gate))
    async with served(tmp_path, parts) as running:
        task = await running.queue()
        async with running.socket(task["id"]) as early, asyncio.TaskGroup() as tasks:
            live = tasks.create_task(heard(early))
            await asyncio.sleep(0.2)
            gate.set()
        async with running.socket(task["id"]) as socket:
            late = await heard(socket)
        async with running.socket(task["id"], f"?after={late[0]['id']}") as socket:
            back = await heard(socket)

    assert live.result() == late
    assert [one["event"] for one in late] == ["started", "start", "chunk", "end"]
    assert (late[-1]["data"]["status"], early.close_code) == ("completed", 1000)
    assert back == late[1:]


async def test_browsers_send_the_token_as_a_subprotocol(tmp_path: Path) -> None:
    async with served(tmp_path) as running:
        task_id = await running.ended()
        async with running.socket(
            task_id, additional_headers={}, subprotocols=BROWSER
        ) as socket:
            found = await heard(socket)

    assert socket.subprotocol == "agentkeep.events"
    assert found[-1]["event"] == "end"


@pytest.mark.parametrize(
    ("headers", "subprotocols", "status"),
    [
        ({}, None, 401),
        ({"Authorization": "Bearer wrong"}, None, 401),
        ({"Authorization": f"Basic {TOKEN}"}, None, 401),
        ({}, ["agentkeep.events", "agentkeep.bearer.wrong"], 401),
        ({}, ["agentkeep.events", "agentkeep.bearer."], 401),
        ({}, [f"agentkeep.bearer.{TOKEN}"], 400),
        ({}, [*BROWSER, "agentkeep.bearer.another"], 400),
    ],
)
async def test_without_the_token_nothing_is_upgraded(
    tmp_path: Path,
    headers: dict[str, str],
    subprotocols: list[str] | None,
    status: int,
) -> None:
    async with served(tmp_path) as running:
        task_id = await running.ended()
        answer = await refused(
            *(running, task_id),
            additional_headers=headers,
            subprotocols=subprotocols,
        )

    assert answer.status_code == status
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert TOKEN not in answer.text


async def test_what_cannot_be_followed_is_refused_before_the_upgrade(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as running:
        task_id = await running.ended()
        unknown = await refused(running, "task-none")
        place = await refused(running, task_id, query="?after=x")
        running.control.service.joined.count += 64
        full = await refused(running, task_id)
        running.control.service.joined.count -= 64

    assert [one.status_code for one in (unknown, place, full)] == [404, 400, 503]
    assert all(one.json()["error"] for one in (unknown, place, full))
    assert full.headers["Retry-After"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-WebSocket-Version": "8", "Sec-WebSocket-Key": KEY},
        {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY, "Upgrade": "h2c"},
    ],
)
async def test_half_a_handshake_is_a_request_as_any_other(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", **headers}
    async with served(tmp_path) as running:
        task_id = await running.ended()
        address = f"http://127.0.0.1:{running.port}"
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            path = f"/queue/{task_id}/socket"
            answer = await client.get(path, headers={**signed_in(), **upgrade})
            stranger = await client.get(path, headers=upgrade)
            elsewhere = await client.get("/queue", headers={**signed_in(), **upgrade})

    assert (answer.status_code, answer.headers["Upgrade"]) == (426, "websocket")
    assert "speaks WebSocket" in answer.json()["error"]
    assert (stranger.status_code, elsewhere.status_code) == (401, 200)


async def test_pages_of_others_open_no_socket_where_there_is_no_token(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, Parts()) as running:
        task_id = await running.ended()
        foreign = await refused(
            *(running, task_id),
            additional_headers={"Origin": "https://evil.example"},
        )
        own = {"Origin": f"http://127.0.0.1:{running.port}"}
        async with running.socket(task_id, additional_headers=own) as socket:
            found = await heard(socket)

    assert foreign.status_code == 403
    assert found[-1]["event"] == "end"


async def until_dropped(running: Served, task_id: str) -> None:
    """Say much until nobody follows any more."""
    service = running.control.service
    async with asyncio.timeout(10):
        while service.joined.count:
            for _event in range(20):
                service.output.say(task_id, "note", BIG)
            await asyncio.sleep(0.05)


BOTH = pytest.mark.parametrize(
    ("path", "lines"), [("socket", HANDSHAKE), ("output", ())], ids=["socket", "events"]
)


@BOTH
async def test_whoever_goes_away_gives_the_place_back(
    tmp_path: Path, path: str, lines: Sequence[str]
) -> None:
    async with served(tmp_path) as running:
        task_id = (await running.queue(available_at="2100-01-01T00:00:00Z"))["id"]
        joined = running.control.service.joined
        with closing(await raw(running.port, f"/queue/{task_id}/{path}", *lines)):
            assert joined.count == 1
        async with asyncio.timeout(5):
            while joined.count:
                await asyncio.sleep(0.01)


@BOTH
async def test_a_reader_that_takes_nothing_is_dropped(
    tmp_path: Path, path: str, lines: Sequence[str]
) -> None:
    async with served(tmp_path) as running:
        task_id = (await running.queue(available_at="2100-01-01T00:00:00Z"))["id"]
        with closing(await raw(running.port, f"/queue/{task_id}/{path}", *lines)):
            assert running.control.service.joined.count == 1
            await until_dropped(running, task_id)


async def test_a_reader_that_only_pings_does_not_fill_the_memory(
    tmp_path: Path,
) -> None:
    # A whole frame of a ping with a zero mask.
    pings = (b"\x89\xfd" + b"\0" * 4 + b"p" * 125) * 500
    async with served(tmp_path) as running:
        task_id = (await running.queue(available_at="2100-01-01T00:00:00Z"))["id"]
        path = f"/queue/{task_id}/socket"
        loop = asyncio.get_running_loop()
        with closing(await raw(running.port, path, *HANDSHAKE)) as hostile:
            async with asyncio.timeout(10):
                with pytest.raises(ConnectionError):
                    while True:
                        await loop.sock_sendall(hostile, pings)
        await until_dropped(running, task_id)


@pytest.mark.parametrize(
    "frames",
    [
        # Text that is too long, never ends, or is none; frames that are no frames.
        b"\x81\xfe\xff\xff\0\0\0\0" + b"x" * 65_535,
        b"\x01\x80\0\0\0\0" + b"\0\x80\0\0\0\0" * 100,
        b"\x81\x81\0\0\0\0\xff",
        b"\xff\xff\xff\xff\xff\xff",
        b"\x81\x01x",
    ],
)
async def test_hostile_frames_end_their_own_connection_only(
    tmp_path: Path, frames: bytes
) -> None:
    async with served(tmp_path) as running:
        task = await running.queue(available_at="2100-01-01T00:00:00Z")
        async with running.socket(task["id"]) as good:
            async with running.socket(task["id"]) as bad:
                bad.transport.write(frames)
                with pytest.raises(ConnectionClosed):
                    await asyncio.wait_for(bad.recv(), 5)
            running.control.service.output.end(task["id"], {"status": "failed"})
            found = await asyncio.wait_for(heard(good), 5)

    assert [one["event"] for one in found] == ["end"]


async def test_what_a_reader_says_is_not_heard_and_not_too_often(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as running:
        task = await running.queue(available_at="2100-01-01T00:00:00Z")
        async with running.socket(task["id"]) as socket:
            await socket.send("ping")
            running.control.service.output.say(task["id"], "note", {"still": "here"})
            told = json.loads(await asyncio.wait_for(socket.recv(), 5))
            with pytest.raises(ConnectionClosed):
                for _message in range(MAX_MESSAGES * 2):
                    await socket.send("ping")
                await asyncio.wait_for(socket.recv(), 5)

    assert told["data"] == {"still": "here"}
    assert socket.close_code == 1008


async def test_readers_are_told_to_come_back_when_the_service_stops(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as running:
        task = await running.queue(available_at="2100-01-01T00:00:00Z")
        async with running.socket(task["id"]) as socket:
            running.control.service.output.dismiss()
            found = await asyncio.wait_for(heard_until_closed(socket), 5)

    assert found == 1012


async def heard_until_closed(socket: object) -> int:
    """Wait for the end of a socket and return its code."""
    try:
        await socket.recv()  # type: ignore[attr-defined]
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code
    raise AssertionError("it was not closed")
