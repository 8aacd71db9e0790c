# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Control's end of one CLI process that runs in an agent's container."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from agentd.deadline import Deadline
from agentd.errors import AgentdError, AgentLost
from agentd.spawner.frames import Frame, FrameInvalid, FrameKind, decode_json
from agentd.spawner.link import Link
from agentd.spawner.protocol import SignalName

CHUNK_BYTES = 256 * 1024
UNREAD_BYTES = 256 * 1024
STDERR_BYTES = 8 * 1024
# What nobody reads is not worth much time: beyond this it is taken slowly.
UNREAD_STDERR_BYTES = 1024 * 1024
UNREAD_PAUSE_SECONDS = 0.01
CLOSE_SECONDS = (2.0, 3.0, 3.0)

SendSignal = Callable[[SignalName], Awaitable[None]]


class RemoteProcess:
    """A CLI process over its own connection; what comes from it is untrusted."""

    def __init__(self, agent: str, link: Link, send_signal: SendSignal) -> None:
        self._agent = agent
        self._link = link
        self._send_signal = send_signal
        self._chunks: deque[bytes] = deque()
        self._unread = 0
        self._discard = False
        self._input_ended = False
        self._abandoned = False
        self._changed = asyncio.Condition()
        self._ended = asyncio.Event()
        self._status: int | None = None
        self._stderr = b""
        self._stderr_bytes = 0

    @property
    def stderr_tail(self) -> str:
        """Return the last 8 KiB that the process wrote to standard error."""
        return self._stderr.decode("utf-8", "replace")

    async def pump(self) -> None:
        """Take frames until the process has exited or the link is lost."""
        try:
            while self._status is None:
                frame = await self._link.receive()
                if frame is None:
                    break
                await self._take(frame)
        except (OSError, FrameInvalid):
            pass
        finally:
            self._link.abort()
            self._ended.set()
            async with self._changed:
                self._changed.notify_all()

    async def _take(self, frame: Frame) -> None:
        if frame.kind is FrameKind.OUTPUT:
            await self._take_output(frame.payload)
        elif frame.kind is FrameKind.ERROR_OUTPUT:
            await self._take_stderr(frame.payload)
        elif frame.kind is FrameKind.EXIT:
            status = decode_json(frame.payload).get("status")
            if not isinstance(status, int) or not -255 <= status <= 255:
                raise FrameInvalid("the exit status is not one")
            self._status = status
        else:
            raise FrameInvalid(f"a {frame.kind.name} frame has no place here")

    async def _take_stderr(self, payload: bytes) -> None:
        self._stderr = (self._stderr + payload[-STDERR_BYTES:])[-STDERR_BYTES:]
        self._stderr_bytes += 1 + len(payload)
        if self._stderr_bytes > UNREAD_STDERR_BYTES:
            await asyncio.sleep(UNREAD_PAUSE_SECONDS)

    async def _take_output(self, chunk: bytes) -> None:
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._unread < UNREAD_BYTES or self._discard
            )
            if not self._discard and chunk:
                self._chunks.append(chunk)
                self._unread += len(chunk)
                self._changed.notify_all()
                return
        await asyncio.sleep(UNREAD_PAUSE_SECONDS)

    def stdout(self) -> AsyncIterator[bytes]:
        """Return its output in chunks until it has exited or the link is lost."""
        return self._read_output()

    async def _read_output(self) -> AsyncIterator[bytes]:
        while True:
            async with self._changed:
                await self._changed.wait_for(
                    lambda: bool(self._chunks) or self._ended.is_set()
                )
                if not self._chunks:
                    return
                chunk = self._chunks.popleft()
                self._unread -= len(chunk)
                self._changed.notify_all()
            yield chunk

    async def write(self, data: bytes) -> None:
        """Write to the process's input; raise AgentLost if the link is gone."""
        view = memoryview(data)
        for start in range(0, len(view), CHUNK_BYTES):
            part = bytes(view[start : start + CHUNK_BYTES])
            await self._send(FrameKind.INPUT, part)

    async def close_input(self) -> None:
        """End the process's input; a second call does nothing."""
        if not self._input_ended:
            self._input_ended = True
            await self._send(FrameKind.END_INPUT)

    async def _send(self, kind: FrameKind, payload: bytes = b"") -> None:
        if self._ended.is_set():
            raise self._lost("write to")
        try:
            await self._link.send(kind, payload)
        except (OSError, TimeoutError) as error:
            raise self._lost("write to") from error

    def _lost(self, deed: str) -> AgentLost:
        why = (
            "the connection to it went away"
            if self._status is None
            else f"it has exited with status {self._status}"
        )
        return AgentLost(
            f'Cannot {deed} the CLI process of agent "{self._agent}": {why}. '
            "Send the message again."
        )

    async def signal(self, name: SignalName) -> None:
        """Send a signal to the process's group; nothing if it has ended."""
        if not self._ended.is_set():
            await self._send_signal(name)

    async def wait(self) -> int:
        """Return the exit status; raise AgentLost if the link went away first."""
        await self._ended.wait()
        if self._status is None:
            raise self._lost("wait for")
        return self._status

    def abandon(self) -> None:
        """Drop the connection at once: the agent's side lets it end its turn."""
        self._abandoned = True
        self._link.abort()

    async def aclose(self) -> None:
        """Close the input, wait shortly, then end the group; bounded, repeatable."""
        self._discard = True
        async with self._changed:
            self._changed.notify_all()
        if self._abandoned:
            # A signal would break off the turn that it brings to an end.
            return
        try:
            await self._end_by_steps()
        finally:
            self._link.abort()

    async def _end_by_steps(self) -> None:
        for seconds, signal in zip(CLOSE_SECONDS, (None, "TERM", "KILL"), strict=True):
            if self._ended.is_set():
                return
            try:
                async with Deadline(seconds):
                    if signal is None:
                        await self.close_input()
                    elif signal == "TERM":
                        await self.signal("TERM")
                    else:
                        await self.signal("KILL")
                    await self._ended.wait()
            except (AgentdError, TimeoutError):
                continue
