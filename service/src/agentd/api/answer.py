# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An answer as it leaves: with the request's id, and what the edge says itself."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.types import Message, Send

# What an answer begins with: to a request, or to the handshake of a socket.
ANSWERED = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
SWITCHING_PROTOCOLS = 101


class Answer:
    """An answer that carries the request's id and the build's names."""

    def __init__(self, send: Send, request_id: str, marks: Mapping[bytes, str]) -> None:
        self._send = send
        self.request_id = request_id
        self._marks = marks
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        """Send a part of the answer, with our headers on the first."""
        if message["type"] in ANSWERED:
            self.status = message.get("status", SWITCHING_PROTOCOLS)
            message = {
                **message,
                "headers": [*message.get("headers", []), *self._headers()],
            }
        await self._send(message)

    async def refuse(self, status: int, error: str) -> None:
        """Send a whole answer that says why the request is refused."""
        body = json.dumps({"error": error, "request_id": self.request_id}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})

    async def redirect(self, location: bytes) -> None:
        """Send who asks for a page elsewhere."""
        headers = [
            (b"location", location),
            (b"content-length", b"0"),
            (b"cache-control", b"no-store"),
        ]
        await self.send(
            {"type": "http.response.start", "status": 303, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": b""})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"x-request-id", self.request_id.encode("ascii")),
            *(
                (name, told.encode("latin-1", "replace"))
                for name, told in self._marks.items()
            ),
        ]
