# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Agent sides of a test's own: an honest one that echoes, and hostile ones.

Each runs as a process: ``python hostile_sides.py <kind> <control's socket>``.
"""

from __future__ import annotations

import asyncio
import json
import sys
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
FOREIGN_SESSION = "99999999-9999-4999-8999-999999999999"
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


class Silent(Cli):
    """Never ends a turn, and ignores interrupts and the end of its input."""

    async def run(self) -> None:
        rest = b""
        async for frame in self.line.frames():
            *lines, rest = (rest + frame.payload).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if message.get("request", {}).get("subtype") == "initialize":
                    await self.take(message)


class Flood(Cli):
    """Writes small lines without end."""

    async def turn(self, text: str, uuid: str) -> None:
        delta = {"type": "text_delta", "text": "x" * 50}
        event = {"type": "content_block_delta", "delta": delta}
        used = {"type": "stream_event", "uuid": "u", "session_id": "s", "event": event}
        many = (json.dumps(used).encode() + b'\n{"type":"unused"}\n') * 500
        while True:
            await self.write(many)


class ToolFlood(Cli):
    """Calls the own tool without end, and reads no answer."""

    async def turn(self, text: str, uuid: str) -> None:
        call = {"name": "send_message", "arguments": {"text": "buy " + "x" * 5000}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        request = {"subtype": "mcp_message", "server_name": "agentkeep"}
        line = {
            "type": "control_request",
            "request_id": "r",
            "request": {**request, "message": message},
        }
        while True:
            await self.tell(line)


class Endless(Cli):
    """Writes one line that has no end, just below the bound of a line."""

    async def turn(self, text: str, uuid: str) -> None:
        await self.write(b'{"type":"assistant","x":"' + b"x" * (4 * 1024 * 1024 - 100))
        await asyncio.sleep(3600)


class Replay(Cli):
    """Ends turns that are not its own, under other ids and other sessions."""

    async def turn(self, text: str, uuid: str) -> None:
        for number in range(500):
            await self.end("stolen", user_message_uuids=[f"old-{number}"])
            await self.end("spam", origin={"kind": "task-notification"})
        await self.tell(
            {"type": "system", "subtype": "init", "session_id": FOREIGN_SESSION}
        )
        self.session = FOREIGN_SESSION
        await super().turn(text, uuid)


class Broken(Cli):
    """Breaks the rules of the frames, each time in another way."""

    ways: ClassVar[list[bytes]] = [
        bytes((FrameKind.OUTPUT,)) + b"\xff\xff\xff\xff",
        b"\x63\x00\x00\x00\x00",
        encode_json(FrameKind.EXIT, {"status": 10**9}),
        encode_json(FrameKind.HELLO, {"report": {}}),
        encode(FrameKind.OUTPUT, b'{"type":"result"}\n'),
        encode(FrameKind.OUTPUT, b'{"type":"assistant","message":7}\n'),
        encode(FrameKind.OUTPUT, b'{"type":"control_response","response":[]}\n'),
        encode(FrameKind.OUTPUT, b'{"type":"result",' + b'"a":[' * 5000 + b"\n"),
    ]
    count: ClassVar[int] = 0

    async def turn(self, text: str, uuid: str) -> None:
        Broken.count += 1
        await self.line.send(self.ways[Broken.count % len(self.ways)])
        await asyncio.sleep(3600)


class Stderr(Cli):
    """Writes to standard error, and empty output, without end."""

    async def turn(self, text: str, uuid: str) -> None:
        many = encode(FrameKind.ERROR_OUTPUT, b"x" * 1000) * 50
        large = encode(FrameKind.ERROR_OUTPUT, b"x" * MAX_PAYLOAD_BYTES)
        while True:
            await self.line.send(many + encode(FrameKind.OUTPUT) * 50 + large)


class Liar(Side):
    """Answers every call with something else, for ids that it was never given."""

    async def answer(self, line: Line, call: Json) -> None:
        with suppress(OSError):
            for number in range(200):
                lie = {"id": number, "result": {"exists": True, "holds": "yes"}}
                await line.send(encode_json(FrameKind.ANSWER, lie))
            deep: Json = {"a": ["x" * 100] * 500}
            await line.send(
                encode_json(FrameKind.ANSWER, {"id": call["id"], "result": deep})
            )


class Staller(Side):
    """Takes every call and answers none."""

    async def answer(self, line: Line, call: Json) -> None:
        return


class Dialler(Side):
    """Opens connections without end and says nothing on them."""

    async def serve(self, line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._dial())
            await super().serve(line)

    async def _dial(self) -> None:
        held = []
        while len(held) < 1000:
            with suppress(OSError):
                held.append(await asyncio.open_unix_connection(str(self.socket)))
            await asyncio.sleep(0)


class Greeter(Side):
    """Greets as the main connection again and again."""

    async def serve(self, line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _number in range(4):
                tasks.create_task(self._greet())
            await super().serve(line)

    async def _greet(self) -> None:
        while True:
            with suppress(OSError):
                line = await Line.dial(self.socket, {"report": {"ok": True}})
                await asyncio.sleep(0)
                line.writer.close()
            await asyncio.sleep(0.001)


def side_of(kind: type[Cli]) -> type[Side]:
    """Return a side whose CLIs are of that kind."""
    return type(f"Side{kind.__name__}", (Side,), {"cli": kind})


GOOD = "good"
HOSTILE: dict[str, type[Side]] = {
    "silent": side_of(Silent),
    "flood": side_of(Flood),
    "tools": side_of(ToolFlood),
    "endless": side_of(Endless),
    "replay": side_of(Replay),
    "broken": side_of(Broken),
    "stderr": side_of(Stderr),
    "greeter": Greeter,
    "liar": Liar,
    "staller": Staller,
    "dialler": Dialler,
}


if __name__ == "__main__":
    side = {GOOD: Side, **HOSTILE}[sys.argv[1]]
    asyncio.run(side(Path(sys.argv[2])).run())
