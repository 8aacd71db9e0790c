# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""An honest agent side of a test's own: its CLIs echo what is said to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from agentd.spawner.frames import (
    MAX_PAYLOAD_BYTES,
    Frame,
    FrameDecoder,
    FrameKind,
    decode_json,
    encode,
    encode_json,
)

LAST_UUID = "22222222-2222-4222-8222-222222222222"
Json = dict[str, Any]


class Line:
    """One connection to control that carries frames."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self.writer = writer
        self._decoder = FrameDecoder()

    @classmethod
    async def dial(cls, path: Path, hello: Mapping[str, object]) -> Line:
        """Return a connection that has greeted."""
        line = cls(*await asyncio.open_unix_connection(str(path)))
        await line.send(encode_json(FrameKind.HELLO, hello))
        return line

    async def send(self, data: bytes) -> None:
        """Send any bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def frames(self) -> AsyncIterator[Frame]:
        """Return what comes, until the end."""
        while data := await self._reader.read(65536):
            for frame in self._decoder.feed(data):
                yield frame


class Cli:
    """What a side does in the place of a CLI; an honest one echoes."""

    def __init__(self, line: Line, start: Json) -> None:
        self.line = line
        self.session = str(start["session_id"])

    async def run(self) -> None:
        """Take lines of control until the connection ends."""
        rest = b""
        async for frame in self.line.frames():
            if frame.kind is FrameKind.END_INPUT:
                await self.line.send(encode_json(FrameKind.EXIT, {"status": 0}))
                return
            *lines, rest = (rest + frame.payload).split(b"\n")
            for line in lines:
                await self.take(json.loads(line))

    async def take(self, message: Json) -> None:
        """Answer one line of control."""
        if message["type"] == "control_request":
            await self.tell(
                {
                    "type": "control_response",
                    "response": {
                        "subtype": "success",
                        "request_id": message["request_id"],
                        "response": {},
                    },
                }
            )
        elif message["type"] == "user":
            await self.turn(message["message"]["content"], message["uuid"])

    async def turn(self, text: str, uuid: str) -> None:
        """Answer a message."""
        await self.say(f"echo {text}")
        await self.end(f"echo {text}", user_message_uuids=[uuid])

    async def say(self, text: str) -> None:
        """Tell a whole message of the model."""
        content = [{"type": "text", "text": text}]
        message = {"role": "assistant", "model": "double", "content": content}
        await self.tell({"type": "assistant", "message": message, "uuid": LAST_UUID})

    async def end(self, text: str, **more: object) -> None:
        """Tell that a turn ended."""
        result = {
            "type": "result",
            "subtype": "success",
            "duration_ms": 1,
            "duration_api_ms": 1,
            "is_error": False,
            "num_turns": 1,
            "result": text,
            "session_id": self.session,
            **more,
        }
        await self.tell(result)

    async def tell(self, message: Json) -> None:
        """Write a line."""
        await self.write(json.dumps(message).encode() + b"\n")

    async def write(self, data: bytes) -> None:
        """Write any output."""
        for start in range(0, len(data), MAX_PAYLOAD_BYTES):
            part = data[start : start + MAX_PAYLOAD_BYTES]
            await self.line.send(encode(FrameKind.OUTPUT, part))


class Side:
    """An agent side that starts doubles of a CLI."""

    cli: ClassVar[type[Cli]] = Cli

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Dial again and again, as a real one does, until it is cancelled."""
        while True:
            with suppress(OSError, ExceptionGroup):
                line = await Line.dial(self.socket, {"report": {"ok": True}})
                await self.serve(line)
            await asyncio.sleep(0.05)

    async def serve(self, line: Line) -> None:
        """Answer calls until the connection ends."""
        async with asyncio.TaskGroup() as tasks:
            async for frame in line.frames():
                if frame.kind is FrameKind.CALL:
                    call = decode_json(frame.payload)
                    tasks.create_task(self.answer(line, call))
                elif frame.kind is FrameKind.PING:
                    await line.send(encode(FrameKind.PONG))
            raise ConnectionResetError("control dropped the connection")

    async def answer(self, line: Line, call: Json) -> None:
        """Answer one call."""
        with suppress(OSError):
            result = await self.result(str(call["name"]), call["parameters"])
            told = {"id": call["id"], "result": result}
            await line.send(encode_json(FrameKind.ANSWER, told))

    async def result(self, name: str, parameters: Json) -> Json:
        """Return what a call answers."""
        if name == "start_cli":
            stream = await Line.dial(self.socket, {"stream": parameters["stream"]})
            running = asyncio.create_task(self._run_cli(stream, parameters["start"]))
            self.running.add(running)
            running.add_done_callback(self.running.discard)
            return {"started": True}
        if name == "transcript_state":
            return {"exists": True, "holds": True, "size": 1, "path": "x"}
        volumes = {"memory": True, "sessions": True, "skill_data": True}
        return {"ok": True, "volumes": volumes, "errors": [], "known": True}

    async def _run_cli(self, stream: Line, start: Json) -> None:
        try:
            await self.cli(stream, start).run()
        except (OSError, ValueError):
            return
        finally:
            stream.writer.close()
