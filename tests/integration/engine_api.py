# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Containers made anew exactly as they were, but for one thing that a test alters.

The engine is asked directly: what it says of a container goes back to it as the order
for the next one, so that nothing else can differ.
"""

from __future__ import annotations

import copy
import http.client
import json
import socket
from collections.abc import Callable
from typing import Any

SOCKET = "/var/run/docker.sock"
Order = dict[str, Any]


class EngineConnection(http.client.HTTPConnection):
    """A connection to the engine's socket."""

    def __init__(self) -> None:
        super().__init__("localhost", timeout=60)

    def connect(self) -> None:
        """Connect to the socket in place of a port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(SOCKET)


def ask(method: str, path: str, body: object = None) -> Any:
    """Return the engine's answer; raise RuntimeError if it refuses."""
    connection = EngineConnection()
    try:
        connection.request(
            method,
            f"/v1.44{path}",
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {text}")
    return json.loads(text) if text else None


def order_of(inspected: Order) -> Order:
    """Given what the engine says of a container, return the order that makes it."""
    order: Order = copy.deepcopy(inspected["Config"])
    order["HostConfig"] = copy.deepcopy(inspected["HostConfig"])
    # The engine fills these in itself, and would refuse or repeat them.
    order.pop("Hostname")
    order["HostConfig"].pop("MaskedPaths", None)
    order["HostConfig"].pop("ReadonlyPaths", None)
    order["NetworkingConfig"] = {
        "EndpointsConfig": {
            name: {"Aliases": network["Aliases"]}
            for name, network in inspected["NetworkSettings"]["Networks"].items()
            if name != "none"
        }
    }
    return order


def make_anew(name: str, alter: Callable[[Order], object]) -> None:
    """Replace a container by one that differs from it in what *alter* changes."""
    order = order_of(ask("GET", f"/containers/{name}/json"))
    alter(order)
    ask("DELETE", f"/containers/{name}?force=true")
    ask("POST", f"/containers/create?name={name}", order)
    ask("POST", f"/containers/{name}/start")


def process_of(name: str) -> int:
    """Return the process id of a running container on this machine."""
    return int(ask("GET", f"/containers/{name}/json")["State"]["Pid"])
