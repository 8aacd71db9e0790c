# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A WebSocket whose other end may be slow, silent or hostile."""

from __future__ import annotations

import asyncio
from asyncio.transports import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from websockets.frames import Frame

from agentd.api.slow_readers import DropsSlowReaders, SlowReader

SLOW_SECONDS = 30.0
CLOSE_SECONDS = 5.0
MAX_FRAMES = 64


class LiveSocket(DropsSlowReaders, WebSocketsSansIOProtocol):
    """Uvicorn's protocol, with bounds on what it waits for and keeps."""

    slow_seconds = SLOW_SECONDS
    close_seconds = CLOSE_SECONDS
    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Take a connection over."""
        super().connection_made(transport)
        self._reader = SlowReader(self.loop, self.transport, self.slow_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        for timer in (self._reader, self._closing):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def handle_ping(self) -> None:
        """Answer a ping, unless answers pile up before who takes none."""
        if not self.writable.is_set():
            self.transport.abort()
            return
        super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        """Take a further frame of a message that has not too many."""
        if len(self.frames) >= MAX_FRAMES:
            self.transport.abort()
            return
        super().handle_cont(event)

    async def run_asgi(self) -> None:
        """Serve the socket; then close it, whether or not all can be written."""
        try:
            await super().run_asgi()
        finally:
            if not self.disconnected:
                self._closing = self.loop.call_later(
                    self.close_seconds, self.transport.abort
                )
