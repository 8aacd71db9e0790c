# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The loopback relay: what the CLI sends goes to the gateway's socket, unread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Self, cast

# Each live CLI keeps two or three, and an agent may have 64 of them.
MAX_CONNECTIONS = 256
HIGH_WATER_BYTES = 256 * 1024
HEALTH_REQUEST = b"GET /health "
HEALTH_SECONDS = 0.2

Health = Callable[[], Mapping[str, object]]


class Relay:
    """Listens on loopback and joins each connection to one of the gateway's."""

    def __init__(self, gateway_socket: str, health: Health) -> None:
        self.gateway_socket = gateway_socket
        self.health = health
        self.connections: set[Inward] = set()
        self._dials = asyncio.TaskGroup()
        self._health_lock = asyncio.Lock()
        self._last_health: tuple[float, Mapping[str, object]] | None = None

    async def __aenter__(self) -> Self:
        """Begin to own the relay's tasks."""
        await self._dials.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Drop every connection and end the relay's tasks."""
        self.close()
        await self._dials.__aexit__(None, None, None)

    async def listen(self, port: int) -> asyncio.Server:
        """Return the server that listens on that port of the loopback address."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Inward(self), "127.0.0.1", port)

    def dial(self, inward: Inward) -> None:
        """Join a connection to the gateway, or answer that it is not there."""
        self._dials.create_task(self._dial(inward))

    def examine(self, inward: Inward) -> None:
        """Answer a connection with the health, which takes the disk's time."""
        self._dials.create_task(self._examine(inward))

    async def _examine(self, inward: Inward) -> None:
        # Whatever runs in the container may ask: all who ask together get one look.
        loop = asyncio.get_running_loop()
        async with self._health_lock:
            last = self._last_health
            if last is None or loop.time() - last[0] > HEALTH_SECONDS:
                found = await asyncio.to_thread(self.health)
                self._last_health = last = loop.time(), found
        inward.answer_health(last[1])

    async def _dial(self, inward: Inward) -> None:
        loop = asyncio.get_running_loop()
        try:
            _transport, outward = await loop.create_unix_connection(
                lambda: Outward(inward), self.gateway_socket
            )
        except OSError as error:
            inward.refuse(f"{error.strerror or error}")
        else:
            inward.join(outward)

    def close(self) -> None:
        """Drop every connection."""
        for inward in list(self.connections):
            inward.abort()


class Half(asyncio.Protocol):
    """One side of a joined pair; a slow reader stops the other side's reading."""

    transport: asyncio.Transport | None = None
    other: Half | None = None
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, with a bound on what waits to be sent."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end on; the other direction may go on to its own end."""
        self.ended = True
        other = self.other.transport if self.other is not None else None
        if other is None or other.is_closing():
            return False
        other.write_eof()
        # Nobody would close a pair of which both sides said all they had to say.
        return self.other is not None and not self.other.ended

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side, after what waits there was sent."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def pause_writing(self) -> None:
        """Let the other side read no more."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the other side read again."""
        other = self.other.transport if self.other is not None else None
        if other is not None and not other.is_closing():
            other.resume_reading()


class Outward(Half):
    """The side towards the gateway."""

    def __init__(self, inward: Inward) -> None:
        self.other = inward


class Inward(Half):
    """The side towards the CLI."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self._relay.connections) >= MAX_CONNECTIONS:
            self.abort()
            return
        self._relay.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Answer for the health here; join anything else to the gateway."""
        if self.other is not None:
            super().data_received(data)
            return
        self._first += data
        if HEALTH_REQUEST.startswith(self._first[: len(HEALTH_REQUEST)]):
            if len(self._first) >= len(HEALTH_REQUEST):
                self._hold()
                self._relay.examine(self)
            return
        self._hold()
        self._relay.dial(self)

    def _hold(self) -> None:
        if self.transport is not None:
            self.transport.pause_reading()

    def join(self, outward: Half) -> None:
        """Send what came first, and relay from now on."""
        self.other = outward
        if self.transport is None or self.transport.is_closing():
            cast(asyncio.Transport, outward.transport).close()
            return
        first, self._first = self._first, b""
        super().data_received(first)
        self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and close the other side."""
        self._relay.connections.discard(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def refuse(self, reason: str) -> None:
        """Answer that the gateway cannot be reached; the CLI tries again."""
        message = (
            f"Cannot reach the model gateway at {self._relay.gateway_socket}: "
            f"{reason}. Look at the log of the gateway's container."
        )
        error = {"type": "api_error", "message": message}
        self._answer(
            "503 Service Unavailable", json.dumps({"type": "error", "error": error})
        )

    def answer_health(self, health: Mapping[str, object]) -> None:
        """Answer with the health, whose status says whether it is good."""
        status = "200 OK" if health.get("ok") else "503 Service Unavailable"
        self._answer(status, json.dumps(health))

    def _answer(self, status: str, body: str) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        content = body.encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()
