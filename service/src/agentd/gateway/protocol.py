# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Uvicorn's HTTP protocol, telling by which agent's socket a request came."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS_PER_SOCKET = 128


class SocketProtocol(H11Protocol):
    """Puts the listening socket's path into the scope, and bounds its connections."""

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
