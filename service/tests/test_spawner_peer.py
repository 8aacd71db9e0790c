# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""An agent's connections as control takes, bounds and replaces them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import until
from doubles import (
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
)
from agentd.spawner import peer
from agentd.spawner.frames import FrameKind, encode


@pytest.fixture(autouse=True)
async def closed_wires() -> AsyncIterator[None]:
    """Leave no connection open after a test."""
    yield
    await close_wires()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 10,
        b"\x02\xff\xff\xff\xff",
        b"GET /health HTTP/1.1\r\n\r\n",
        encode(FrameKind.ANSWER, b"{}"),
        encode(FrameKind.HELLO, b"{}"),
        encode(FrameKind.HELLO, b"[" * 5000),
        encode(FrameKind.HELLO, b'{"report": {"a": "' + b"x" * 20_000 + b'"}}'),
        encode(FrameKind.HELLO, b'{"stream": "' + b"0" * 32 + b'"}'),
        encode(FrameKind.HELLO, b'{"stream": 1}'),
    ],
    ids=[
        "zeroes",
        "a huge length",
        "HTTP",
        "no greeting",
        "an empty greeting",
        "a deep greeting",
        "a large greeting",
        "a stream that nobody awaits",
        "a stream that is none",
    ],
)
async def test_a_connection_that_does_not_greet_is_dropped(
    short_path: Path, data: bytes
) -> None:
    async with listening(short_path) as spawner:
        good = await connect(short_path, spawner)
        bad = await Wire.dial(control_socket(short_path))

        await bad.send_raw(data)

        assert await bad.is_ended()
        assert spawner.states()["main"].connected
        good.close()


async def test_a_connection_that_says_nothing_is_dropped(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "HELLO_TIMEOUT_SECONDS", 0.05)
    async with listening(short_path):
        silent = await Wire.dial(control_socket(short_path))

        assert await silent.is_ended()


async def test_more_connections_than_an_agent_may_have_are_closed(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "MAX_CONNECTIONS", 3)
    async with listening(short_path, "main", "mail") as spawner:
        held = [await Wire.dial(control_socket(short_path)) for _unused in range(3)]
        await asyncio.sleep(0.05)

        extra = await Wire.dial(control_socket(short_path))

        assert await extra.is_ended()
        await connect(short_path, spawner, "mail")
        assert len(held) == 3


async def test_a_silent_main_connection_is_asked_and_then_given_up(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "SILENCE_SECONDS", 0.05)
    async with listening(short_path) as spawner:
        double = await connect(short_path, spawner)

        frame = await double.receive()

        assert frame is not None and frame.kind is FrameKind.PING
        await until(lambda: not spawner.states()["main"].connected)


async def test_a_second_main_connection_replaces_the_first(short_path: Path) -> None:
    async with listening(short_path) as spawner:
        first = await connect(short_path, spawner)
        process, stream = await started(short_path, spawner, first)

        second = await AgentDouble.dial(control_socket(short_path))
        await second.greet({"n": 2})

        assert await first.is_ended()
        assert await stream.is_ended()
        with pytest.raises(AgentLost):
            await process.wait()
        assert spawner.states()["main"].report == {"n": 2}
