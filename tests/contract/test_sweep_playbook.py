# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The playbook sweep: in check mode it tells what would go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from working_tree import ROOT

from agentd.api import sweep_examples

TOKEN = "canary-of-the-api"
SWEPT = sweep_examples.ANSWERS["post /sweep"]


class Control(BaseHTTPRequestHandler):
    """Sweeps, and keeps what was asked."""

    asked: list[object]

    def do_POST(self) -> None:
        """Answer as control does, but only to who brings the token."""
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body))
        text = json.dumps({**SWEPT, **body}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where something answers as control does."""
    Control.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Control) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def play(directory: Path, *words: str, **variables: str) -> tuple[int, str]:
    """Run the playbook; return its status and what it said."""
    (directory / "token").write_text(TOKEN)
    here = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    (directory / "inventory").write_text(f"[agentkeep]\nlocalhost {here}\n")
    given = {"_deployment_token_file": str(directory / "token"), **variables}
    finished = subprocess.run(
        [
            *("ansible-playbook", "agentkeep.agents.sweep", "-i", "inventory"),
            *words,
            f"--extra-vars={json.dumps(given)}",
        ],
        cwd=directory,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")},
        check=False,
        capture_output=True,
        text=True,
    )
    return finished.returncode, finished.stdout + finished.stderr


def test_a_sweep_in_check_mode_asks_for_a_dry_run_alone(
    tmp_path: Path, address: str
) -> None:
    """I08."""
    status, said = play(tmp_path, "--check", _deployment_url=address)

    assert status == 0, said
    assert Control.asked == [("/sweep", {"dry_run": True})]
    assert "agentkeep/issue-17" in said
    # What was left as it is shows as a warning.
    assert "it did not answer in" in " ".join(said.split())
    assert TOKEN not in said


def test_a_profile_without_a_service_is_refused(tmp_path: Path) -> None:
    status, said = play(tmp_path, deployment_profile="nanoclaw")

    assert status != 0
    assert 'the profile "nanoclaw" has no service that sweeps' in " ".join(said.split())
