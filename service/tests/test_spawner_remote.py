# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Control's end of a CLI process, against streams that lie, flood and stall."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from doubles import (
    START,
    AgentDouble,
    Wire,
    close_wires,
    connect,
    control_socket,
    listening,
    started,
)

from agentd.errors import (
    AgentLost,
    CliFailed,
)
from agentd.spawner import peer, remote
from agentd.spawner.frames import FrameKind, encode


@pytest.fixture(autouse=True)
async def closed_wires() -> AsyncIterator[None]:
    """Leave no connection open after a test."""
    yield
    await close_wires()


async def test_streams_status_and_the_end_of_standard_error_arrive(
    short_path: Path,
) -> None:
    async with listening(short_path) as spawner:
        double = await connect(short_path, spawner)
        process, stream = await started(short_path, spawner, double)

        await process.write(b"in")
        await process.close_input()
        await stream.send(FrameKind.OUTPUT, b"one")
        await stream.send(FrameKind.ERROR_OUTPUT, b"x" * 20_000 + b"the end")
        await stream.send(FrameKind.OUTPUT, b"two")
        await stream.send_json(FrameKind.EXIT, {"status": 3})

        assert [chunk async for chunk in process.stdout()] == [b"one", b"two"]
        assert await process.wait() == 3
        assert process.stderr_tail.endswith("the end")
        assert len(process.stderr_tail) == remote.STDERR_BYTES
        frames = [await stream.receive(), await stream.receive()]
        assert [frame and frame.kind for frame in frames] == [
            FrameKind.INPUT,
            FrameKind.END_INPUT,
        ]
        with pytest.raises(AgentLost, match="status 3"):
            await process.write(b"more")


async def test_output_that_nobody_reads_is_held_back(short_path: Path) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        process, stream = await started(short_path, spawner, double)
        flood = group.create_task(send_output(stream, 200))
        await asyncio.sleep(0.3)

        assert not flood.done(), "control holds no more than its bound"
        received = 0
        async for chunk in process.stdout():
            received += len(chunk)

        assert received == 200 * 65536
        assert await process.wait() == 0


async def send_output(stream: Wire, count: int) -> None:
    """Send that many chunks of output, and a good end."""
    for _unused in range(count):
        await stream.send(FrameKind.OUTPUT, b"x" * 65536)
    await stream.send_json(FrameKind.EXIT, {"status": 0})


@pytest.mark.parametrize(
    "data",
    [
        encode(FrameKind.EXIT, b'{"status": "0"}'),
        encode(FrameKind.EXIT, b'{"status": 100000}'),
        encode(FrameKind.EXIT, b"{}"),
        encode(FrameKind.CALL, b"{}"),
        encode(FrameKind.HELLO, b'{"report": {}}'),
        b"\x12\xff\xff\xff\xff",
        b"",
    ],
    ids=[
        "status as text",
        "status out of range",
        "no status",
        "a call",
        "another greeting",
        "a huge frame",
        "the end alone",
    ],
)
async def test_a_stream_that_breaks_the_rules_is_lost(
    short_path: Path, data: bytes
) -> None:
    async with listening(short_path) as spawner:
        double = await connect(short_path, spawner)
        process, stream = await started(short_path, spawner, double)

        await stream.send_raw(data)
        if not data:
            stream.close()

        assert [chunk async for chunk in process.stdout()] == []
        with pytest.raises(AgentLost):
            await process.wait()
        assert spawner.states()["main"].connected


async def test_a_stream_s_id_is_good_once_and_on_its_own_socket_only(
    short_path: Path,
) -> None:
    async with (
        listening(short_path, "main", "mail") as spawner,
        asyncio.TaskGroup() as group,
    ):
        double = await connect(short_path, spawner)
        start = group.create_task(spawner.start_cli("main", START))
        call = await double.receive_json(FrameKind.CALL)
        parameters = call["parameters"]
        assert isinstance(parameters, dict)
        greeting = {"stream": parameters["stream"]}

        foreign = await Wire.dial(control_socket(short_path, "mail"))
        await foreign.send_json(FrameKind.HELLO, greeting)
        assert await foreign.is_ended()
        own = await Wire.dial(control_socket(short_path))
        await own.send_json(FrameKind.HELLO, greeting)
        await double.send_json(FrameKind.ANSWER, {"id": call["id"], "result": {}})
        process = await start
        replay = await Wire.dial(control_socket(short_path))
        await replay.send_json(FrameKind.HELLO, greeting)

        assert await replay.is_ended()
        await own.send_json(FrameKind.EXIT, {"status": 0})
        assert await process.wait() == 0


async def test_a_start_that_is_refused_says_why(short_path: Path) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        group.create_task(double.answer(error="8 processes run already."))

        with pytest.raises(CliFailed, match="8 processes"):
            await spawner.start_cli("main", START)


async def test_a_start_whose_stream_does_not_come_is_given_up(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "START_TIMEOUT_SECONDS", 0.1)
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        group.create_task(double.answer(result={"started": True}))

        with pytest.raises(CliFailed, match="not connected in time"):
            await spawner.start_cli("main", START)


async def test_closing_a_process_that_ignores_all_is_bounded(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "CLOSE_SECONDS", (0.1, 0.1, 0.1))
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        process, stream = await started(short_path, spawner, double)
        signals = group.create_task(take_signals(double))

        await process.aclose()
        await process.aclose()

        assert await signals == ["TERM", "KILL"]
        assert await stream.is_ended()
        with pytest.raises(AgentLost):
            await process.wait()


async def take_signals(double: AgentDouble) -> list[object]:
    """Answer the calls to signal a process; return what was sent."""
    names = []
    for _unused in range(2):
        parameters = (await double.answer(result={}))["parameters"]
        assert isinstance(parameters, dict)
        names.append(parameters["signal"])
    return names


async def test_leaving_the_spawner_ends_every_connection(short_path: Path) -> None:
    async with listening(short_path) as spawner:
        double = await connect(short_path, spawner)
        process, stream = await started(short_path, spawner, double)
        silent = await Wire.dial(control_socket(short_path))

    assert await double.is_ended()
    assert await stream.is_ended()
    assert await silent.is_ended()
    with pytest.raises(AgentLost):
        await process.wait()
