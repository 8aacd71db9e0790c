# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent's end of the main connection, against a control that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import Stack
from doubles import Wire, close_wires

from agentd.spawner.frames import FrameKind, encode


@asynccontextmanager
async def control(directory: Path) -> AsyncIterator[asyncio.Queue[Wire]]:
    """Yield the connections that an agent side makes to a control of the test's."""
    stack = Stack(directory, ("main",), 1)
    (stack.sockets_directory / "main").mkdir(parents=True)
    stack.memory().mkdir(parents=True)
    (directory / "main" / "skill-data").mkdir()
    wires: asyncio.Queue[Wire] = asyncio.Queue(100)

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await wires.put(Wire(reader, writer))

    server = await asyncio.start_unix_server(
        accept, stack.sockets_directory / "main" / "control.sock"
    )
    async with server:
        try:
            stack.start_side()
            yield wires
        finally:
            await asyncio.to_thread(stack.stop)
            await close_wires()


async def greeted(wires: asyncio.Queue[Wire]) -> Wire:
    """Return the next main connection, after its greeting."""
    async with asyncio.timeout(10):
        wire = await wires.get()
    assert "report" in await wire.receive_json(FrameKind.HELLO)
    return wire


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x00\x00",
        b"\x02\xff\xff\xff\xff",
        encode(FrameKind.ANSWER, b"{}"),
        encode(FrameKind.CALL, b"["),
        encode(FrameKind.CALL, b"[" * 60_000),
        encode(FrameKind.INPUT, b"x"),
    ],
    ids=["zeroes", "a huge frame", "an answer", "no JSON", "deep JSON", "input"],
)
async def test_a_control_that_breaks_the_rules_is_left_and_dialled_again(
    short_path: Path, data: bytes
) -> None:
    async with control(short_path) as wires:
        wire = await greeted(wires)

        await wire.send_raw(data)

        assert await wire.is_ended()
        again = await greeted(wires)
        await again.send(FrameKind.PING)
        frame = await again.receive()
        assert frame is not None and frame.kind is FrameKind.PONG


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"id": 1},
        {"id": 1, "name": "eval", "parameters": {}},
        {"id": 1, "name": ["probe"], "parameters": {}},
        {"id": 1, "name": "probe", "parameters": []},
        {"id": 1, "name": "start_cli", "parameters": {"stream": "0" * 32}},
        {"id": 1, "name": "signal_cli", "parameters": {"stream": "0" * 32}},
    ],
)
async def test_a_call_that_is_none_is_answered_with_a_refusal(
    short_path: Path, call: dict[str, object]
) -> None:
    async with control(short_path) as wires:
        wire = await greeted(wires)

        await wire.send_json(FrameKind.CALL, call)

        answer = await wire.receive_json(FrameKind.ANSWER)
        assert answer["id"] == call.get("id")
        assert isinstance(answer["error"], str)
