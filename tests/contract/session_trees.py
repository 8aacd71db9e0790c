# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Trees of transcripts as agents leave them, and a control that lists their ids."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.agentkeep.agents.plugins.modules import session_info

Params = dict[str, Any]
SESSIONS = [
    f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}"
    for digit in "123456789"
]
FIRST, SECOND, THIRD, *_REST = SESSIONS


class Control(HTTPServer):
    """Lists sessions as control does, one page after the other."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rows: list[Params] = []
        self.answer: Any = None

    @property
    def url(self) -> str:
        """Return where the server listens."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers one page."""

    server: Control

    def do_GET(self) -> None:
        """Answer GET /sessions."""
        asked = parse_qs(urlsplit(self.path).query)
        start = int(asked["offset"][0])
        page = self.server.rows[start : start + int(asked["limit"][0])]
        more = start + len(page) < len(self.server.rows)
        body = self.server.answer or {"sessions": page, "more": more}
        payload = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@contextmanager
def listing() -> Iterator[Control]:
    """Yield a running server."""
    with Control() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def options_of(params: Params) -> Params:
    """Return the options of the module for the declared deployment."""
    known = {
        key: value
        for key, value in params.items()
        if key not in ("repair", "lock_wait_seconds")
    }
    service = {
        "image": "agentkeep/agentd:0.1.0",
        "config_directory": "/data/memory/.claude",
        "working_directory": "/data/memory",
    }
    return {**known, "services": {"agent": service}}


def projects_of(params: Params, agent: str = "main") -> Path:
    """Return where an agent keeps its projects, and make that."""
    root = Path(params["data_root"]) / "demo" / "agents" / agent
    projects = root / "memory" / ".claude" / "projects"
    projects.mkdir(parents=True, exist_ok=True)
    return projects


def content_of(session: str) -> bytes:
    """Return a sound transcript."""
    lines = [
        {"type": "user", "uuid": "a", "parentUuid": None, "sessionId": session},
        {"type": "assistant", "uuid": "b", "parentUuid": "a", "sessionId": session},
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def put(
    params: Params,
    session: str,
    content: bytes | None = None,
    project: str = "-data-memory",
    agent: str = "main",
) -> Path:
    """Write a transcript as the agent would."""
    directory = projects_of(params, agent) / project
    directory.mkdir(exist_ok=True)
    file = directory / f"{session}.jsonl"
    file.write_bytes(content_of(session) if content is None else content)
    uid = next(one["uid"] for one in params["agents"] if one["name"] == agent)
    os.chown(directory, uid, uid)
    os.chown(file, uid, uid)
    file.chmod(0o600)
    os.utime(file, (1000, time.time() - 3600))
    return file


def found(run_module: Any, options: Params) -> Params:
    """Run the module and return what it says."""
    done = run_module(session_info, options)
    assert not done.failed, done.message
    assert done.changed is False
    result: Params = done.result["session_info"]
    return result


def verdicts(result: Params) -> dict[str, str]:
    """Return the verdict on every session."""
    return {one["session_id"]: one["verdict"] for one in result["sessions"]}


def stored(session: str, agent: str = "main", *, durable: bool = True) -> Params:
    """Return what control lists of a session."""
    return {
        "agent": agent,
        "session_id": session,
        "conversation_id": f"conv-{session[0]}",
        "durable": durable,
    }


class Engine:
    """Knows some volumes."""

    def __init__(self, volumes: Params) -> None:
        self._volumes = volumes

    def volume(self, name: str) -> Any:
        """Return what is known of a volume."""
        return self._volumes.get(name)
