# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Commands in profiles do what they are there for, as far as that runs here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from shipped_profiles import profile_of

Finished = subprocess.CompletedProcess[str]


@contextmanager
def answering(body: object) -> Iterator[int]:
    """Serve one answer to every request; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_unused: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "healthy"),
    [
        ({"status": "healthy", "queue_length": 0}, True),
        ({"status": "healthy", "queue_length": 7}, True),
        ({"status": "healthy", "queue_length": -1}, False),
        ({"status": "degraded"}, False),
    ],
)
def test_claude_code_agent_is_unhealthy_without_its_queue(
    body: object, healthy: bool
) -> None:
    """D05: the system itself always says that it is healthy."""
    health = profile_of("claude_code_agent")["components"]["app"]["health"]
    _python, flag, program = health["command"]

    with answering(body) as port:
        program = program.replace(":8000/", f":{port}/")
        finished = subprocess.run(
            [sys.executable, flag, program], check=False, capture_output=True
        )

    assert (finished.returncode == 0) is healthy, finished.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("body", "healthy"),
    [({"status": "ok"}, True), ({"status": "degraded"}, False), ("", False)],
)
def test_picoclaw_is_unhealthy_when_it_says_so(body: object, healthy: bool) -> None:
    """D05: it answers 200 also when it is degraded."""
    health = profile_of("picoclaw")["components"]["agent"]["health"]
    node, flag, program = health["command"]

    with answering(body) as port:
        program = program.replace(":9000/", f":{port}/")
        finished = subprocess.run(
            [node, flag, program], check=False, capture_output=True
        )

    assert (finished.returncode == 0) is healthy, finished.stderr


@pytest.fixture
def redis(tmp_path: Path) -> Path:
    """Return a directory with a redis-server that prints what it is told."""
    server = tmp_path / "redis-server"
    server.write_text('#!/bin/sh\ncat "$1"\nshift\necho "$@"\n')
    server.chmod(0o755)
    return tmp_path


def started(
    redis: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the command of the profile's Redis."""
    command = profile_of("claude_code_agent")["components"]["redis"]["command"]
    shell, flag, program = command
    path = f"{redis}:{os.environ['PATH']}"
    return subprocess.run(
        [shell, flag, program.replace("/tmp/", f"{redis}/")],
        env={"PATH": path, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def test_redis_gets_its_password_from_a_file_for_it_alone(redis: Path) -> None:
    """D10, O05: no process list shows it, and every write is appended to a log."""
    done = started(redis, {"REDIS_PASSWORD": "one-two"})

    configuration, arguments = done.stdout.splitlines()
    assert configuration == 'requirepass "one-two"'
    assert "one-two" not in arguments
    assert "--appendonly yes" in arguments
    assert (redis / "redis.conf").stat().st_mode & 0o777 == 0o600


def test_redis_does_not_start_without_a_password(redis: Path) -> None:
    done = started(redis, {})

    assert done.returncode != 0
    assert "REDIS_PASSWORD" in done.stderr
    assert done.stdout == ""
