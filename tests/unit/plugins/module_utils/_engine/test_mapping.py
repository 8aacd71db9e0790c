# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The engine's user namespace is found by asking over its socket."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._engine.mapping import (
    read_id_map,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    EngineFailed,
    EngineUnreachable,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.id_map import (
    IDENTITY,
    IdMap,
)

SUBORDINATE = "somebody:100000:65536\ndockremap:165536:70000\n"
INSIDE = "0 1000 1\n1 100000 65536\n"

Serve = Callable[..., str]


class SocketServer(socketserver.ThreadingUnixStreamServer):
    """Serve HTTP on a Unix socket."""

    daemon_threads = True

    def get_request(self) -> tuple[Any, Any]:
        """Return the connection with an address that the handler can print."""
        return super().get_request()[0], ("local", 0)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts an engine and returns its socket."""
    servers: list[SocketServer] = []

    def start(answer: object, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = answer if isinstance(answer, bytes) else json.dumps(answer)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(
                    content if isinstance(content, bytes) else content.encode()
                )

            def log_message(self, *_unused: object) -> None:
                """Say nothing."""

        path = str(tmp_path / "docker.sock")
        servers.append(SocketServer(path, Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return path

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Files:
    """Give the text of files by their path."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.asked: list[str] = []

    def __call__(self, path: str) -> str:
        self.asked.append(path)
        for name, text in self.texts.items():
            if path.endswith(name):
                return text
        raise FileNotFoundError(path)


def info(*options: str, root: str = "/var/lib/docker") -> dict[str, Any]:
    """Return what an engine says of itself."""
    return {"SecurityOptions": list(options), "DockerRootDir": root}


def test_plain_engine_changes_no_id(serve: Serve) -> None:
    """A04: the owner on the host is the declared one."""
    assert read_id_map(serve(info("name=seccomp,profile=builtin"))) == IDENTITY


def test_remapped_engine_adds_the_offsets_of_its_directory(serve: Serve) -> None:
    """A04: with userns-remap the owner on the host is offset + uid."""
    engine = serve(info("name=userns", root="/var/lib/docker/165536.100000"))

    found = read_id_map(engine, Files(subuid=SUBORDINATE, subgid=SUBORDINATE))

    assert found == IdMap.from_ranges([(0, 165536, 70000)], [(0, 100000, 65536)])


def test_rootless_engine_has_the_map_of_its_process(serve: Serve) -> None:
    """A04: with a rootless engine it is what its user namespace says."""
    files = Files(uid_map=INSIDE, gid_map=INSIDE)

    found = read_id_map(serve(info("name=seccomp", "name=rootless")), files)

    ranges = [(0, 1000, 1), (1, 100000, 65536)]
    assert found == IdMap.from_ranges(ranges, ranges)
    assert files.asked == [
        f"/proc/{os.getpid()}/uid_map",
        f"/proc/{os.getpid()}/gid_map",
    ]


@pytest.mark.parametrize("map_text", ["0 0 4294967295\n", "", "x\n"])
def test_rootless_engine_in_no_namespace_is_not_believed(
    serve: Serve, map_text: str
) -> None:
    engine = serve(info("name=rootless"))

    with pytest.raises(EngineFailed, match="Set uid_offset"):
        read_id_map(engine, Files(uid_map=map_text, gid_map=map_text))


def test_remapped_engine_without_offsets_is_not_believed(serve: Serve) -> None:
    with pytest.raises(EngineFailed, match='"/var/lib/docker" does not end'):
        read_id_map(serve(info("name=userns")))


def test_where_there_is_no_engine_there_is_no_map(tmp_path: Path) -> None:
    (tmp_path / "stale.sock").write_text("")

    assert read_id_map(str(tmp_path / "docker.sock")) is None
    assert read_id_map(str(tmp_path / "stale.sock")) is None


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ({}, 500, "it answered 500"),
        (b"no", 200, "Expecting value"),
        ([], 200, "is not an object"),
    ],
)
def test_engine_that_answers_nonsense_is_one_clear_error(
    serve: Serve, answer: object, status: int, says: str
) -> None:
    with pytest.raises(EngineUnreachable, match=says):
        read_id_map(serve(answer, status))
