# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The health check of every component, with the standard library only.

Each component answers ``GET /health`` with 200 while it is well: control on its
TCP port, the gateway on every agent's socket, the agent side on its relay port.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 5.0
CONTROL_PORT_DEFAULT = 8080
RELAY_PORT_DEFAULT = 8081
SOCKETS_DEFAULT = "/run/agentd/sockets"


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        self.sock.connect(self.path)


def main(path: Path) -> int:
    """Return 0 if every end point of the component answers 200, else 1."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        for name, connection in end_points(settings):
            status, body = ask(connection)
            if status != http.client.OK:
                print(f"{name}: {status} {body}", file=sys.stderr)
                return 1
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        print(f"agentd health: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def end_points(
    settings: Mapping[str, Any],
) -> Iterator[tuple[str, http.client.HTTPConnection]]:
    """Yield what has to answer for the component that the settings name."""
    component = settings["component"]
    if component == "control":
        port = int(settings.get("listen_port", CONTROL_PORT_DEFAULT))
        yield from tcp(local_address(str(settings.get("listen_host", ""))), port)
    elif component == "gateway":
        directory = Path(str(settings.get("sockets_directory", SOCKETS_DEFAULT)))
        for agent in settings["agents"]:
            path = str(directory / str(agent) / "gateway.sock")
            yield path, UnixConnection(path)
    elif component == "agent":
        yield from tcp("127.0.0.1", int(settings.get("relay_port", RELAY_PORT_DEFAULT)))
    else:
        raise ValueError(f'the settings name no known component: "{component}"')


def tcp(host: str, port: int) -> Iterator[tuple[str, http.client.HTTPConnection]]:
    """Yield the connection to one TCP port."""
    name = f"{host}:{port}"
    yield name, http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)


def local_address(listen_host: str) -> str:
    """Return the address on which a service that listens there is met locally."""
    if listen_host in {"", "0.0.0.0"}:
        return "127.0.0.1"
    return "::1" if listen_host == "::" else listen_host


def ask(connection: http.client.HTTPConnection) -> tuple[int, str]:
    """Ask for the health; return the status and the start of the body."""
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read(2000).decode("utf-8", "replace")
    finally:
        connection.close()
