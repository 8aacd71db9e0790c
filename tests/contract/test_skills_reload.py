# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the role deployment makes of answers to POST /admin/reload-skills."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from working_tree import ROOT

TOKEN = "canary-of-the-api"
ANSWERS: dict[str, tuple[int, object]] = {
    "all": (200, {"agents": {"main": {"skills": {}, "error": None}}}),
    "some": (
        200,
        {
            "agents": {
                "main": {"skills": {}, "error": None},
                "second": {"skills": None, "error": "second-is-away"},
            }
        },
    ),
    "none": (503, {"error": "main-is-away"}),
    "stranger": (401, {"error": "Unauthorized"}),
}
INCLUDE = {
    "ansible.builtin.include_role": {
        "name": "agentkeep.agents.deployment",
        "tasks_from": "skills",
    },
    "vars": {"_deployment_url": "{{ item }}"},
}


class Control(BaseHTTPRequestHandler):
    """Answers by the first part of the path."""

    def do_POST(self) -> None:
        """Answer, but only to who brings the token."""
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        status, body = ANSWERS[self.path.split("/")[1]]
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where something answers as control does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Control) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_agent_that_is_away_stops_no_play_and_a_refused_token_is_told(
    tmp_path: Path, address: str
) -> None:
    """Agents take them at their next start; the token is never shown."""
    (tmp_path / "token").write_text(TOKEN)
    nobody = "http://127.0.0.1:9"
    asked = [*(f"{address}/{way}" for way in ANSWERS)]
    asked.insert(-1, nobody)
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"deployment_name": "main"},
        "tasks": [{**INCLUDE, "loop": asked}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))

    finished = subprocess.run(
        [
            *("ansible-playbook", "play.yml", "-vvv"),
            f"--extra-vars=_deployment_token_file={tmp_path / 'token'}",
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            # Whoever proxies the host's requests has no business with loopback.
            "http_proxy": nobody,
        },
        check=False,
        capture_output=True,
        text=True,
    )
    said = " ".join(finished.stdout.split())

    assert finished.returncode != 0
    assert "second-is-away" in said
    assert "main-is-away" in said
    assert "refuses the token" in said
    assert said.count("are in place, and reach") == 3
    assert TOKEN not in said
