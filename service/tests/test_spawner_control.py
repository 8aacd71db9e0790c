# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Control's end of the sockets, against agent sides that lie, flood and stall."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import until
from doubles import AgentDouble, Wire, close_wires

from agentd.errors import (
    AgentLost,
    AgentUnavailable,
    AgentUnknown,
    CallRefused,
    CallTimedOut,
    CliFailed,
)
from agentd.spawner import peer, remote
from agentd.spawner.control import SocketSpawner
from agentd.spawner.frames import FrameKind, encode
from agentd.spawner.listen import SocketRefused
from agentd.spawner.protocol import CliProcess, CliStart

START = CliStart(session_id=str(uuid.UUID(int=3)), resume=False)


@pytest.fixture(autouse=True)
async def closed_wires() -> AsyncIterator[None]:
    """Leave no connection open after a test."""
    yield
    await close_wires()


def control_socket(directory: Path, agent: str = "main") -> Path:
    """Return where control listens for an agent."""
    return directory / agent / "control.sock"


@asynccontextmanager
async def listening(directory: Path, *agents: str) -> AsyncIterator[SocketSpawner]:
    """Yield a spawner that listens for these agents."""
    names = agents or ("main",)
    for agent in names:
        (directory / agent).mkdir(exist_ok=True)
    async with SocketSpawner(directory, names, time.monotonic) as spawner:
        yield spawner


async def connect(
    directory: Path, spawner: SocketSpawner, agent: str = "main"
) -> AgentDouble:
    """Return an agent's main connection that control has taken."""
    double = await AgentDouble.dial(control_socket(directory, agent))
    await double.greet()
    await until(lambda: spawner.states()[agent].connected)
    return double


async def started(
    directory: Path, spawner: SocketSpawner, double: AgentDouble
) -> tuple[CliProcess, Wire]:
    """Return a CLI process as control and as the agent hold it."""
    async with asyncio.TaskGroup() as group:
        stream = group.create_task(double.take_start(control_socket(directory)))
        process = await spawner.start_cli("main", START)
    return process, stream.result()


async def test_sockets_are_for_the_group_only_and_are_removed(
    short_path: Path,
) -> None:
    async with listening(short_path, "main", "mail"):
        status = control_socket(short_path, "mail").stat()

        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o660
    assert not control_socket(short_path).exists()


async def test_a_stale_socket_is_replaced(short_path: Path) -> None:
    (short_path / "main").mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(control_socket(short_path)))

    async with listening(short_path) as spawner:
        await connect(short_path, spawner)


@pytest.mark.parametrize("kind", ["link", "file", "directory"])
async def test_anything_but_a_socket_in_its_place_is_refused(
    short_path: Path, kind: str
) -> None:
    path = control_socket(short_path)
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to(short_path / "elsewhere")
    elif kind == "file":
        path.write_text("mine")
    else:
        path.mkdir()

    with pytest.raises(SocketRefused, match="not a socket"):
        async with listening(short_path):
            pass
    assert os.path.lexists(path)


async def test_a_link_in_place_of_the_directory_is_refused(short_path: Path) -> None:
    (short_path / "elsewhere").mkdir()
    (short_path / "main").symlink_to(short_path / "elsewhere")

    with pytest.raises(SocketRefused, match="no directory"):
        async with listening(short_path):
            pass


async def test_a_missing_directory_is_named(short_path: Path) -> None:
    with pytest.raises(SocketRefused, match=str(short_path / "none")):
        async with SocketSpawner(short_path, ["none"], time.monotonic):
            pass


async def test_a_name_that_leads_elsewhere_is_refused(short_path: Path) -> None:
    with pytest.raises(SocketRefused, match="name"):
        async with SocketSpawner(short_path, ["../main"], time.monotonic):
            pass


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
        held = [await Wire.dial(control_socket(short_path)) for _ in range(3)]
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
    for _ in range(count):
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
    for _ in range(2):
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
