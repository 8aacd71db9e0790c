# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Agent sides that do what they like, and the honest one beside them.

Each runs as a process: ``python hostile_sides.py <kind> <control's socket>``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from side_doubles import Cli, Json, Line, Side

from agentd.spawner.frames import (
    MAX_PAYLOAD_BYTES,
    FrameKind,
    encode,
    encode_json,
)

FOREIGN_SESSION = "99999999-9999-4999-8999-999999999999"


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


class Bloated(Cli):
    """Greets with much that takes far more memory than it takes bytes."""

    async def tell(self, message: Json) -> None:
        if message["type"] == "control_response":
            message["response"]["response"] = {"commands": [[]] * 150_000}
        await super().tell(message)


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
        held: list[object] = []
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
    "bloated": side_of(Bloated),
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
    kinds: dict[str, type[Side]] = {GOOD: Side, **HOSTILE}
    side = kinds[sys.argv[1]]
    asyncio.run(side(Path(sys.argv[2])).run())
