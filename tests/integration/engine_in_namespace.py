# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Answer as a rootless engine does, in whatever user namespace this runs.

Usage: engine_in_namespace.py SOCKET. It listens once a line comes on standard input.
"""

from __future__ import annotations

import json
import socket
import sys

ANSWER = {"SecurityOptions": ["name=seccomp", "name=rootless"], "DockerRootDir": "/x"}


def main(path: str) -> None:
    """Answer one request."""
    print("waiting", flush=True)
    sys.stdin.readline()
    body = json.dumps(ANSWER).encode()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("listening", flush=True)
        connection, _address = listener.accept()
        with connection:
            connection.recv(65536)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)


if __name__ == "__main__":
    main(sys.argv[1])
