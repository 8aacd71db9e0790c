# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent's end of one CLI process: relays its streams, status and end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from agentd.spawner.frames import (
    Frame,
    FrameDecoder,
    FrameInvalid,
    FrameKind,
    encode,
    encode_json,
)
from agentd.spawner.processes import kill_marked, signal_group

STDIN, STDOUT, STDERR = 0, 1, 2
FLUSH_SECONDS = 2.0
HIGH_WATER_BYTES = 256 * 1024


@dataclass(frozen=True)
class Launch:
    """One process to start: its arguments, its whole environment, its mark."""

    arguments: list[str]
    environment: Mapping[str, str]
    directory: str
    mark: Mapping[str, str]


class Connection(asyncio.Protocol):
    """The process's own connection to control."""

    def __init__(self, process: StreamedProcess) -> None:
        self._process = process
        self._decoder = FrameDecoder()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, with a bound on what waits to be sent."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)

    def data_received(self, data: bytes) -> None:
        """Give each frame to the process; anything else ends the connection."""
        try:
            for frame in self._decoder.feed(data):
                self._process.take(frame)
        except FrameInvalid:
            self.abort()

    def eof_received(self) -> bool:
        """Close: control never ends its direction alone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the process finish its turn."""
        self._process.lose()

    def pause_writing(self) -> None:
        """Read no more from the process while control does not take it."""
        self._process.hold_output(True)

    def resume_writing(self) -> None:
        """Read from the process again."""
        self._process.hold_output(False)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self.transport is not None:
            self.transport.abort()


class StreamedProcess(asyncio.SubprocessProtocol):
    """A CLI process in its own group and session, with its streams over a socket."""

    def __init__(
        self, launch: Launch, drain_seconds: float, on_end: Callable[[], None]
    ) -> None:
        self._launch = launch
        self._drain_seconds = drain_seconds
        self._on_end = on_end
        self._connection = Connection(self)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.SubprocessTransport | None = None
        self._open_outputs = {STDOUT, STDERR}
        self._timers: list[asyncio.TimerHandle] = []
        self._exited = False
        self._ended = False
        self._lost = False
        self._held = False

    async def start(self, control_socket: str, greeting: bytes) -> None:
        """Connect to control, then start the process; raise OSError."""
        await self._loop.create_unix_connection(
            lambda: self._connection, control_socket
        )
        try:
            await self._loop.subprocess_exec(
                lambda: self,
                *self._launch.arguments,
                env=dict(self._launch.environment),
                cwd=self._launch.directory,
                start_new_session=True,
            )
        except BaseException:
            self._ended = True
            self._connection.abort()
            raise
        self._send(greeting)
        if self._lost:
            self.end_input()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the process's transport."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def take(self, frame: Frame) -> None:
        """Do what control's frame says."""
        if frame.kind is FrameKind.INPUT:
            pipe = self._pipe(STDIN)
            if pipe is not None and not pipe.is_closing():
                cast(asyncio.WriteTransport, pipe).write(frame.payload)
        elif frame.kind is FrameKind.END_INPUT:
            self.end_input()
        else:
            raise FrameInvalid(f"a {frame.kind.name} frame has no place here")

    def end_input(self) -> None:
        """Close the process's input: it finishes its turn and exits."""
        pipe = self._pipe(STDIN)
        if pipe is not None:
            pipe.close()

    def pause_writing(self) -> None:
        """Read no more from control while the process does not take it."""
        if self._connection.transport is not None:
            self._connection.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read from control again."""
        transport = self._connection.transport
        if transport is not None and not transport.is_closing():
            transport.resume_reading()

    def hold_output(self, hold: bool) -> None:
        """Stop or go on reading what the process writes."""
        for number in self._open_outputs:
            pipe = cast(asyncio.ReadTransport | None, self._pipe(number))
            if pipe is not None and not pipe.is_closing():
                if hold and not self._lost:
                    pipe.pause_reading()
                else:
                    pipe.resume_reading()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Pass on what the process wrote; once control is gone, drop it."""
        kind = FrameKind.OUTPUT if fd == STDOUT else FrameKind.ERROR_OUTPUT
        self._send(encode(kind, data))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note that a stream of the process has ended."""
        self._open_outputs.discard(fd)
        self._finish()

    def process_exited(self) -> None:
        """End what the process left behind; its last output may still come."""
        self._exited = True
        self.kill()
        self._timers.append(
            self._loop.call_later(FLUSH_SECONDS, self._open_outputs.clear)
        )
        self._timers.append(self._loop.call_later(FLUSH_SECONDS, self._finish))
        self._finish()

    def _finish(self) -> None:
        if self._ended or not self._exited or self._open_outputs:
            return
        self._ended = True
        for timer in self._timers:
            timer.cancel()
        if self._transport is not None:
            status = self._transport.get_returncode()
            self._send(encode_json(FrameKind.EXIT, {"status": status}))
            self._transport.close()
        if self._connection.transport is not None:
            self._connection.transport.close()
        self._on_end()

    def lose(self) -> None:
        """Let the process finish its turn without control, then end its group."""
        if self._lost or self._ended:
            return
        self._lost = True
        self._connection.abort()
        self.hold_output(False)
        self.end_input()
        self._timers.append(self._loop.call_later(self._drain_seconds, self.kill))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process's group."""
        if number is signal.SIGKILL:
            self.kill()
        elif self._transport is not None and not self._exited:
            signal_group(self._transport.get_pid(), number)

    def kill(self) -> None:
        """Kill the process, its group, and what left its group."""
        if self._transport is not None:
            signal_group(self._transport.get_pid(), signal.SIGKILL)
        kill_marked(self._launch.mark)

    def _pipe(self, number: int) -> asyncio.BaseTransport | None:
        if self._transport is None:
            return None
        return self._transport.get_pipe_transport(number)

    def _send(self, data: bytes) -> None:
        transport = self._connection.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)
