# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One request to the gateway over the socket that control alone sees."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from agentd.spawner.calls import printable


@dataclass(frozen=True)
class Question:
    """What the gateway is asked; a body may hold a secret."""

    method: str
    target: str
    body: bytes = field(default=b"", repr=False)

    def written(self) -> bytes:
        """Return the request as it is sent."""
        head = (
            f"{self.method} {self.target} HTTP/1.0\r\nHost: gateway\r\n"
            f"Connection: close\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True)
class Answered:
    """What came back; a status of 0 is no HTTP, of which *shown* is the beginning."""

    status: int
    body: bytes
    shown: str


async def ask(path: str, question: Question, max_bytes: int) -> Answered:
    """Return the answer; raise OSError, or ValueError if it is too large."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(question.written())
        answer = bytearray()
        while part := await reader.read(65_536):
            answer += part
            if len(answer) > max_bytes:
                raise ValueError(f"its answer is larger than {max_bytes} bytes")
    finally:
        writer.close()
    head, _separator, body = bytes(answer).partition(b"\r\n\r\n")
    status = b"".join(head.split(b" ", 2)[1:2])
    known = int(status) if len(status) == 3 and status.isdigit() else 0
    return Answered(known, body, printable(head[:40].decode("latin-1")))
