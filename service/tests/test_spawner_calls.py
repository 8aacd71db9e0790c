# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Calls and their answers, against agents that lie, flood and stall."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import until
from doubles import (
    START,
    AgentDouble,
    close_wires,
    connect,
    control_socket,
    listening,
)

from agentd.errors import (
    AgentLost,
    AgentUnavailable,
    AgentUnknown,
    CallRefused,
    CallTimedOut,
)
from agentd.spawner.frames import FrameKind


@pytest.fixture(autouse=True)
async def closed_wires() -> AsyncIterator[None]:
    """Leave no connection open after a test."""
    yield
    await close_wires()


async def test_an_agent_s_report_and_its_absence_are_seen(short_path: Path) -> None:
    async with listening(short_path) as spawner:
        assert not spawner.states()["main"].connected
        double = await AgentDouble.dial(control_socket(short_path))

        await double.greet({"uid": 20101})
        await until(lambda: spawner.states()["main"].connected)

        assert spawner.states()["main"].report == {"uid": 20101}
        double.close()
        await until(lambda: not spawner.states()["main"].connected)
        assert spawner.states()["main"].report == {}


async def test_a_call_returns_the_agent_s_answer(short_path: Path) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        group.create_task(double.answer(result={"exists": True}))

        result = await spawner.call("main", "x", {"a": 1}, timeout_seconds=5)

        assert result == {"exists": True}


async def test_an_undeclared_and_an_unconnected_agent_are_told_apart(
    short_path: Path,
) -> None:
    async with listening(short_path) as spawner:
        with pytest.raises(AgentUnknown, match='"other"'):
            await spawner.call("other", "probe", {}, timeout_seconds=1)
        with pytest.raises(AgentUnavailable, match="not connected"):
            await spawner.call("main", "probe", {}, timeout_seconds=1)
        with pytest.raises(AgentUnavailable, match="not connected"):
            await spawner.start_cli("main", START)


async def test_a_refusal_is_shown_without_what_could_forge_a_log(
    short_path: Path,
) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        group.create_task(double.answer(error="no\n\x1b[31m" + "x" * 5000))

        with pytest.raises(CallRefused) as caught:
            await spawner.call("main", "probe", {}, timeout_seconds=5)

        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 700


@pytest.mark.parametrize("answer", [{}, {"result": []}, {"result": 1}, {"error": {}}])
async def test_an_answer_that_is_none_is_refused(
    short_path: Path, answer: dict[str, object]
) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        group.create_task(double.answer(**answer))

        with pytest.raises(CallRefused, match="no reason"):
            await spawner.call("main", "probe", {}, timeout_seconds=5)


async def test_a_stalled_agent_times_out_and_its_late_answer_is_ignored(
    short_path: Path,
) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        with pytest.raises(CallTimedOut, match=r"0\.05 s"):
            await spawner.call("main", "probe", {}, timeout_seconds=0.05)
        late = await double.receive_json(FrameKind.CALL)
        await double.send_json(FrameKind.ANSWER, {"id": late["id"], "result": {"n": 1}})

        group.create_task(double.answer(result={"n": 2}))
        result = await spawner.call("main", "probe", {}, timeout_seconds=5)

        assert result == {"n": 2}


async def test_answers_that_nobody_awaits_are_ignored(short_path: Path) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        for number in (0, -1, 99, 10**18, None, "1", [1], {"a": 1}):
            await double.send_json(FrameKind.ANSWER, {"id": number, "result": {"n": 1}})
        group.create_task(double.answer(result={"n": 2}))

        result = await spawner.call("main", "probe", {}, timeout_seconds=5)

        assert result == {"n": 2}


async def test_a_flood_of_answers_is_not_read_and_stops_nobody_else(
    short_path: Path,
) -> None:
    async with (
        listening(short_path, "main", "mail") as spawner,
        asyncio.TaskGroup() as group,
    ):
        bad = await connect(short_path, spawner)
        good = await connect(short_path, spawner, "mail")
        flood = group.create_task(send_without_end(bad))
        await asyncio.sleep(0.3)

        group.create_task(good.answer(result={}))
        begun = time.monotonic()
        await spawner.call("mail", "probe", {}, timeout_seconds=5)

        assert time.monotonic() - begun < 1
        assert not flood.done(), "the kernel's buffers hold the flood back"
        flood.cancel()


async def send_without_end(double: AgentDouble) -> None:
    """Send answers that nobody asked for until it is cancelled."""
    while True:
        await double.send(FrameKind.ANSWER, b'{"id": 1, "result": {}}')


async def test_a_call_under_way_ends_when_the_agent_is_lost(short_path: Path) -> None:
    async with listening(short_path) as spawner, asyncio.TaskGroup() as group:
        double = await connect(short_path, spawner)
        call = group.create_task(
            expect_lost(spawner.call("main", "probe", {}, timeout_seconds=5))
        )
        await double.receive()

        double.close()

        await call


async def expect_lost(call: object) -> None:
    """Await a call that ends because the agent is lost."""
    with pytest.raises(AgentLost):
        await call  # type: ignore[misc]
