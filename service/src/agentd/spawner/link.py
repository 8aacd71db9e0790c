# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""One connection that carries frames, with bounded buffers and bounded waits."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Mapping

from agentd.deadline import Deadline
from agentd.spawner.frames import Frame, FrameDecoder, FrameKind, encode, encode_json

READ_BYTES = 64 * 1024
BUFFER_BYTES = 256 * 1024
WRITE_TIMEOUT_SECONDS = 60.0
FRAMES_IN_A_ROW = 64


class Link:
    """Reads and writes frames; the kernel's buffers are its flow control."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        decoder: FrameDecoder | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = decoder or FrameDecoder()
        self._frames: deque[Frame] = deque()
        self._in_a_row = 0
        self._aborted = False

    @classmethod
    async def from_socket(cls, connection: socket.socket, first_bytes: int) -> Link:
        """Return a link over an accepted socket, with a limit for its first frame."""
        streams = await asyncio.open_unix_connection(
            sock=connection, limit=BUFFER_BYTES
        )
        return cls(*streams, FrameDecoder(first_bytes))

    @classmethod
    async def dial(cls, path: str) -> Link:
        """Return a link to the Unix socket at that path."""
        return cls(*await asyncio.open_unix_connection(path, limit=BUFFER_BYTES))

    async def receive(self) -> Frame | None:
        """Return the next frame, or None at the end; raise FrameInvalid, OSError."""
        self._in_a_row += 1
        if self._in_a_row == FRAMES_IN_A_ROW:
            # A flood of small frames must leave the others their turn.
            self._in_a_row = 0
            await asyncio.sleep(0)
        while not self._frames:
            data = await self._reader.read(READ_BYTES)
            if not data:
                return None
            self._frames.extend(self._decoder.feed(data))
        if self._aborted:
            raise ConnectionAbortedError("the connection was dropped")
        return self._frames.popleft()

    async def send(self, kind: FrameKind, payload: bytes = b"") -> None:
        """Send a frame; raise OSError or TimeoutError if the peer does not take it."""
        await self._write(encode(kind, payload))

    async def send_json(self, kind: FrameKind, value: Mapping[str, object]) -> None:
        """Send a frame with a JSON object, with the errors of send."""
        await self._write(encode_json(kind, value))

    async def _write(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._writer.write(data)
        try:
            async with Deadline(WRITE_TIMEOUT_SECONDS):
                await self._writer.drain()
        except TimeoutError:
            self.abort()
            raise

    def abort(self) -> None:
        """Drop the connection at once, with all that was not sent or taken yet."""
        self._aborted = True
        self._writer.transport.abort()
