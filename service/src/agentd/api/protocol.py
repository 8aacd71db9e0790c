# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""HTTP on control's port: what is too slow, too much or no HTTP is refused in JSON."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import uuid
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from agentd.api.slow_readers import DropsSlowReaders, SlowReader
from agentd.log import get_log

HEADER_SECONDS = 10.0
SLOW_SECONDS = 60.0
MAX_CONNECTIONS = 1024
# What is said to us over a WebSocket is not heard.
SOCKET_OPTIONS: dict[str, Any] = {
    "ws_max_size": 4_096,
    "ws_per_message_deflate": False,
}
NO_HANDSHAKE = (
    "The handshake has a body, or is longer than one may be. Send it without a body, "
    "with at most 8 KB in each line and 128 headers."
)
SOCKET_PATH = re.compile(r"/queue/[^/]+/socket")

log = get_log("api")


class ControlProtocol(DropsSlowReaders, H11Protocol):
    """One connection: its request has to be there in time, or it is closed.

    Uvicorn waits for ever for the end of a request's headers, so that whoever sends
    them slowly, or none, would hold a connection for nothing.
    """

    header_seconds = HEADER_SECONDS
    slow_seconds = SLOW_SECONDS
    max_connections = MAX_CONNECTIONS
    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, unless too many connections are open."""
        super().connection_made(transport)
        self._reader = SlowReader(self.loop, transport, self.slow_seconds)
        if len(self.connections) > self.max_connections:
            self._refuse(
                503,
                f"{self.max_connections} connections are open already. Close some, and "
                "try again shortly.",
            )
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        if self._reader is not None:
            self._reader.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; the first one begins the time that it has."""
        if self._overdue is None and not self._in_request():
            self._wait()
        super().data_received(data)
        if self._in_request():
            self._wait_no_longer()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the shape of every refusal."""
        if self._in_request():
            # An answer is under way: another one in its midst would be read as it.
            self.transport.close()
            return
        self._refuse(400, f"{msg} Send HTTP/1.1, with at most 64 KB of headers.")

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to whom a socket is spoken with."""
        self._wait_no_longer()
        self.ws_protocol_class = self.socket_protocol()
        super().handle_websocket_upgrade(event)
        # What that library takes for no request, it neither answers nor ends.
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            self._refuse(400, NO_HANDSHAKE)

    def socket_protocol(self) -> type[asyncio.Protocol]:
        """Return what speaks WebSocket."""
        # Whoever joins no task does not carry the library.
        from agentd.api.live_socket import LiveSocket

        return LiveSocket

    def _should_upgrade(self) -> bool:
        """Return whether this is a whole handshake for a path that takes one.

        Everything else is a request as any other, and answered or refused as such.
        """
        names = dict(self.headers)
        return (
            self._get_upgrade() == b"websocket"
            and SOCKET_PATH.fullmatch(self.scope["path"]) is not None
            and self.scope["method"] == "GET"
            and names.get(b"sec-websocket-version") == b"13"
            and _is_key(names.get(b"sec-websocket-key", b""))
        )

    def _in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._overdue = self.loop.call_later(self.header_seconds, self._is_overdue)

    def _wait_no_longer(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _is_overdue(self) -> None:
        self._overdue = None
        if self._in_request() or self.transport.is_closing():
            return
        self._refuse(
            408,
            f"The request was not whole within {self.header_seconds:g} s. "
            "Send it again.",
        )

    def _refuse(self, status: int, error: str) -> None:
        request_id = str(uuid.uuid4())
        log.warning("connection_refused", status=status, request_id=request_id)
        body = json.dumps({"error": error, "request_id": request_id}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
            ("x-request-id", request_id),
        ]
        if status == 503:
            headers.append(("retry-after", "5"))
        events: list[Any] = [
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        # A state machine of its own: that of the connection may be in any state.
        answer = h11.Connection(h11.SERVER)
        self.transport.write(b"".join(answer.send(event) or b"" for event in events))
        self.transport.close()


def _is_key(given: bytes) -> bool:
    try:
        return len(base64.b64decode(given, validate=True)) == 16
    except binascii.Error:
        return False
