# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A request's body: read as it comes, bounded in size and time, let go when allowed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.types import Receive

from agentd.gateway.framing import INVALID, too_large
from agentd.gateway.refusal import Refused
from agentd.gateway.scan import Asked, BodyRefused, BodyScan

STALL_SECONDS = 60.0
WHOLE_SECONDS = 300.0
# So much of a body is read before the model's side is even dialled.
HEAD_BYTES = 256 * 1024

CheckModel = Callable[[str], None]
Allow = Callable[[Asked], Awaitable[None]]


class RequestBody:
    """Takes the body from the agent; of a limited agent, it is read on the way."""

    def __init__(
        self, receive: Receive, limit: int, check_model: CheckModel | None
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._check_model = check_model
        self._scan = BodyScan()
        self._model_seen = False
        self._head: list[bytes] = []
        self._deadline = time.monotonic() + WHOLE_SECONDS
        self.bytes = 0
        self.taken = asyncio.Event()

    @property
    def is_read(self) -> bool:
        """Return whether what it asks for is looked at."""
        return self._check_model is not None

    async def read_head(self) -> None:
        """Read the body's beginning, and all of a short one."""
        while self.bytes < HEAD_BYTES and not self.taken.is_set():
            self._head.append(await self._next())

    def asked(self) -> Asked:
        """Return what the whole body asks for; raise Refused if it is no request."""
        if not self.is_read:
            return Asked("", stream=True)
        try:
            return self._scan.finish()
        except BodyRefused as error:
            raise _no_request(error) from error

    async def content(self, allow: Allow) -> bytes | AsyncIterator[bytes]:
        """Return the body, or its pieces; the end of it passes when it is allowed."""
        if not self.is_read:
            return self._pieces()
        await self.read_head()
        if self.taken.is_set():
            await allow(self.asked())
            return b"".join(self._head)
        return self._held_back(allow)

    async def _pieces(self) -> AsyncIterator[bytes]:
        while not self.taken.is_set():
            if piece := await self._next():
                yield piece

    async def _held_back(self, allow: Allow) -> AsyncIterator[bytes]:
        held = b"".join(self._head)
        self._head.clear()
        async for piece in self._pieces():
            yield held
            held = piece
        await allow(self.asked())
        yield held

    async def _next(self) -> bytes:
        piece, more = await self._receive_piece()
        self.bytes += len(piece)
        if self.bytes > self._limit:
            raise too_large(self._limit)
        if self._check_model is not None:
            self._read(piece, self._check_model)
        if not more:
            self.taken.set()
        return piece

    def _read(self, piece: bytes, check_model: CheckModel) -> None:
        try:
            self._scan.feed(piece)
        except BodyRefused as error:
            raise _no_request(error) from error
        if not self._model_seen and (model := self._scan.model) is not None:
            self._model_seen = True
            check_model(model)

    async def _receive_piece(self) -> tuple[bytes, bool]:
        left = self._deadline - time.monotonic()
        try:
            async with asyncio.timeout(min(STALL_SECONDS, left)):
                message = await self._receive()
        except TimeoutError as error:
            reason = "The request's body stalled, or took too long."
            raise Refused(408, "timeout_error", reason) from error
        if message["type"] == "http.disconnect":
            raise Refused(499, "api_error", "The agent dropped the connection.")
        return message.get("body", b""), bool(message.get("more_body", False))


def _no_request(error: BodyRefused) -> Refused:
    return Refused(
        400, INVALID, f"The gateway cannot tell what the request asks for: {error}."
    )
