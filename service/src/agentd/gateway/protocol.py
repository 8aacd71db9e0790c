# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Uvicorn's HTTP protocol, telling by which agent's socket a request came."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

# Not fewer than a relay passes on (agent/relay.py).
MAX_CONNECTIONS_PER_SOCKET = 256
HEADERS_SECONDS = 60.0


class SocketProtocol(H11Protocol):
    """Puts the listening socket's path into the scope; bounds its connections.

    A connection that says nothing whole is dropped after a while.
    """

    _unheard: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Take the connection, unless that agent has too many already."""
        super().connection_made(transport)
        connection = cast(socket.socket, transport.get_extra_info("socket"))
        self.server = (str(connection.getsockname()), None)
        of_same = sum(
            1
            for other in self.connections
            if isinstance(other, SocketProtocol) and other.server == self.server
        )
        if of_same > MAX_CONNECTIONS_PER_SOCKET:
            transport.abort()
            return
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Take what the agent sends; begun headers have to end in time."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget_timer()
        elif self._unheard is None:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget_timer()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        self._unheard = self.loop.call_later(HEADERS_SECONDS, self.transport.abort)

    def _forget_timer(self) -> None:
        if self._unheard is not None:
            self._unheard.cancel()
            self._unheard = None
