# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Doubles of an agent side and of control that say whatever a test wants."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Self

from conftest import until

from agentd.spawner.control import SocketSpawner
from agentd.spawner.frames import (
    Frame,
    FrameDecoder,
    FrameKind,
    decode_json,
    encode,
    encode_json,
)
from agentd.spawner.protocol import CliProcess, CliStart


class Wire:
    """One connection that may send anything."""

    opened: ClassVar[list[Wire]] = []

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = FrameDecoder()
        self._frames: list[Frame] = []
        self.opened.append(self)

    @classmethod
    async def dial(cls, path: Path) -> Self:
        """Return a connection to a socket."""
        return cls(*await asyncio.open_unix_connection(str(path)))

    async def send(self, kind: FrameKind, payload: bytes = b"") -> None:
        """Send a good frame with any payload."""
        await self.send_raw(encode(kind, payload))

    async def send_json(self, kind: FrameKind, value: Mapping[str, object]) -> None:
        """Send a frame with JSON."""
        await self.send_raw(encode_json(kind, value))

    async def send_raw(self, data: bytes) -> None:
        """Send any bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def greet(self, report: Mapping[str, object] | None = None) -> None:
        """Begin as a main connection does."""
        await self.send_json(FrameKind.HELLO, {"report": dict(report or {"ok": True})})

    async def receive(self) -> Frame | None:
        """Return the next frame, or None at the end."""
        async with asyncio.timeout(5):
            while not self._frames:
                data = await self._reader.read(65536)
                if not data:
                    return None
                self._frames += self._decoder.feed(data)
        return self._frames.pop(0)

    async def receive_json(self, kind: FrameKind) -> dict[str, object]:
        """Return the JSON of the next frame, which is of that kind."""
        frame = await self.receive()
        assert frame is not None, "the connection ended"
        assert frame.kind is kind
        return decode_json(frame.payload)

    async def is_ended(self) -> bool:
        """Return whether the other side ends the connection, whatever came before."""
        try:
            while await self.receive() is not None:
                continue
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Drop the connection."""
        self._writer.transport.abort()


async def close_wires() -> None:
    """Drop every connection that a test has opened."""
    for wire in Wire.opened:
        wire.close()
    Wire.opened.clear()
    await asyncio.sleep(0)


class AgentDouble(Wire):
    """An agent side that answers as the test says."""

    async def answer(self, **answer: object) -> dict[str, object]:
        """Take one call and answer it; return the call."""
        call = await self.receive_json(FrameKind.CALL)
        await self.send_json(FrameKind.ANSWER, {"id": call["id"], **answer})
        return call

    async def take_start(self, path: Path) -> Wire:
        """Take the call to start a CLI, and connect its stream."""
        call = await self.receive_json(FrameKind.CALL)
        parameters = call["parameters"]
        assert call["name"] == "start_cli" and isinstance(parameters, dict)
        stream = await Wire.dial(path)
        await stream.send_json(FrameKind.HELLO, {"stream": parameters["stream"]})
        await self.send_json(
            FrameKind.ANSWER, {"id": call["id"], "result": {"started": True}}
        )
        return stream


START = CliStart(session_id=str(uuid.UUID(int=3)), resume=False)


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
