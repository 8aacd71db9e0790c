# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent's end of the main connection: dials, greets, answers the fixed calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agentd.spawner.frames import Frame, FrameInvalid, FrameKind, decode_json
from agentd.spawner.link import Link

BACK_OFF_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
STEADY_SECONDS = 5.0
SILENCE_SECONDS = 60.0
MAX_CALLS = 32

Call = Callable[[Mapping[str, object]], Awaitable[Mapping[str, object]]]


class CallFailed(Exception):
    """A call is refused; the text says why."""


class Calls(Protocol):
    """What the agent side does when control calls."""

    def report(self) -> Mapping[str, object]:
        """Return the boot report that greets control."""

    def table(self) -> Mapping[str, Call]:
        """Return the fixed calls by name; each may raise CallFailed."""

    def linked(self) -> None:
        """Note that control took the connection."""

    def unlinked(self, reason: str) -> None:
        """Note that the connection to control is not there."""


@dataclass(frozen=True)
class Dialler:
    """Keeps one main connection to control for as long as it runs."""

    control_socket: str
    calls: Calls

    async def run(self) -> None:
        """Dial, serve, and dial again with back-off, until it is cancelled."""
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            started = loop.time()
            reason = await self._connect_and_serve()
            self.calls.unlinked(reason)
            if loop.time() - started > STEADY_SECONDS:
                attempt = 0
            delay = BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS) - 1)]
            attempt += 1
            await asyncio.sleep(delay)

    async def _connect_and_serve(self) -> str:
        try:
            link = await Link.dial(self.control_socket)
        except OSError as error:
            return error.strerror or str(error)
        try:
            async with asyncio.TaskGroup() as group:
                return await self._serve(link, group)
        finally:
            link.abort()

    async def _serve(self, link: Link, group: asyncio.TaskGroup) -> str:
        running: set[asyncio.Task[None]] = set()
        try:
            await link.send_json(FrameKind.HELLO, {"report": self.calls.report()})
            self.calls.linked()
            while (frame := await self._receive(link)) is not None:
                if frame.kind is FrameKind.PING:
                    await link.send(FrameKind.PONG)
                elif frame.kind is not FrameKind.CALL:
                    raise FrameInvalid(f"a {frame.kind.name} frame has no place here")
                elif len(running) < MAX_CALLS:
                    task = group.create_task(self._answer(link, frame))
                    running.add(task)
                    task.add_done_callback(running.discard)
                else:
                    await self._refuse(link, frame, "too many calls are under way.")
        except (OSError, FrameInvalid, TimeoutError) as error:
            return str(error) or type(error).__name__
        finally:
            for task in running:
                task.cancel()
        return "control closed the connection"

    async def _receive(self, link: Link) -> Frame | None:
        async with asyncio.timeout(SILENCE_SECONDS):
            return await link.receive()

    async def _refuse(self, link: Link, frame: Frame, reason: str) -> None:
        number = decode_json(frame.payload).get("id")
        await link.send_json(FrameKind.ANSWER, {"id": number, "error": reason})

    async def _answer(self, link: Link, frame: Frame) -> None:
        try:
            message = decode_json(frame.payload)
            answer = await self._result(message)
            await link.send_json(FrameKind.ANSWER, {"id": message.get("id"), **answer})
        except (OSError, FrameInvalid, TimeoutError):
            link.abort()

    async def _result(self, message: Mapping[str, object]) -> Mapping[str, object]:
        name, parameters = message.get("name"), message.get("parameters")
        call = self.calls.table().get(name) if isinstance(name, str) else None
        if call is None or not isinstance(parameters, dict):
            return {"error": "there is no such call."}
        try:
            return {"result": await call(parameters)}
        except CallFailed as error:
            return {"error": str(error)}
        except OSError as error:
            return {"error": f"{error.strerror or error}."}
