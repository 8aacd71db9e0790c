# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What git sends and is answered, piece by piece, bounded in size and time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Receive

from agentd.gateway.git_rules import KIND, too_large
from agentd.gateway.headers import Header
from agentd.gateway.refusal import Refused

STALL_SECONDS = 60.0
# A push of some gigabytes over a slow line ends in that time.
WHOLE_SECONDS = 3600.0


@dataclass(frozen=True)
class Answered:
    """What a forge answers: headers that may pass, and the body as it comes."""

    headers: list[Header]
    pieces: AsyncIterator[bytes]


Give = Callable[[Answered], Awaitable[None]]


class GitBody:
    """Takes a request's body from the agent; nothing of it is kept."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._deadline = time.monotonic() + WHOLE_SECONDS
        self.limit = 0
        self.bytes = 0
        self.taken = asyncio.Event()
        self.ending = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """Return the body's pieces; raise Refused if it is too large or too slow."""
        while not self.taken.is_set():
            if piece := await self._next():
                yield piece

    async def skip(self) -> None:
        """Take a body that has to be empty."""
        async for _piece in self.pieces():
            continue

    async def _next(self) -> bytes:
        left = self._deadline - time.monotonic()
        try:
            async with asyncio.timeout(min(STALL_SECONDS, left)):
                message = await self._receive()
        except TimeoutError as error:
            reason = "The request's body stalled, or took too long."
            raise Refused(408, KIND, reason) from error
        if message["type"] == "http.disconnect":
            raise Refused(499, KIND, "The agent dropped the connection.")
        piece: bytes = message.get("body", b"")
        self.bytes += len(piece)
        if self.bytes > self.limit:
            raise too_large(self.limit)
        if not message.get("more_body", False):
            self.taken.set()
        return piece

    async def cancel_when_gone(self, work: asyncio.Task[None]) -> None:
        """Cancel the work when the agent drops the connection after its request."""
        await self.taken.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue
        # To break off the return of a connection would lose it to the pool.
        if not self.ending:
            work.cancel()
