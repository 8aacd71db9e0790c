# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""state_sweep and session_reset against a small server that answers like control."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import (
    session_reset,
    state_sweep,
)

TOKEN = "a-token-of-the-test"
COUNTS = {"sessions": 1, "trees": 1, "clones": 0, "files": 14, "bytes": 9}
GONE = {
    "kind": "session",
    "reason": "closed",
    "agent": "main",
    "repository": "shop/web",
    "issue": "7",
    "branch": "agentkeep/issue-7",
    "name": None,
    "count": 1,
    "bytes": None,
}
FILES = {"kind": "file", "reason": "age", "agent": "main", "name": "debug", "count": 14}
SESSION = {"agent": "main", "repository": "shop/web", "issue": "7"}


class Control(HTTPServer):
    """Answer like control, and keep what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, Any]] = []
        self.busy = 0
        self.counts = dict(COUNTS)
        self.candidates: list[Any] = [GONE, FILES]
        self.problems: list[str] = []
        self.sessions: list[Any] = [SESSION]
        self.dropped = {"worktree": True, "session": True}
        self.refusal: tuple[int, Any] | None = None

    @property
    def url(self) -> str:
        """Return where the server listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return status and body for a request."""
        self.asked.append((method, path, body))
        if self.refusal is not None and method == "POST":
            return self.refusal
        if path.startswith("/sessions?"):
            return 200, {"sessions": self.sessions, "more": False}
        if path == "/reset":
            return 200, {"dropped": self.dropped}
        if self.busy:
            self.busy -= 1
            return 409, {"error": "Cannot begin a sweep: one runs already."}
        return 200, {
            "number": 1,
            "host": "one",
            "dry_run": body["dry_run"],
            "started_at": "2026-03-02T03:00:00.000Z",
            "finished_at": "2026-03-02T03:00:01.000Z",
            "counts": self.counts,
            "problems": self.problems,
            "candidates": self.candidates,
            "more_candidates": False,
        }

    def posted(self) -> list[Any]:
        """Return the bodies that were sent."""
        return [body for method, _path, body in self.asked if method == "POST"]


class Handler(BaseHTTPRequestHandler):
    """Pass each request on."""

    server: Control

    def handle_any(self) -> None:
        """Answer one request."""
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            status, content = self.server.answer(self.command, self.path, body)
        else:
            status, content = 401, {"error": "Unauthorized: send the bearer token."}
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    # The names that the standard library looks for.
    do_GET = do_POST = handle_any  # noqa: N815

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@pytest.fixture
def control() -> Iterator[Control]:
    """Return a running server."""
    with Control() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sweeping(control: Control, **change: Any) -> dict[str, Any]:
    """Return the options of a sweep."""
    return {"url": control.url, "api_token": TOKEN, "wait_seconds": 5, **change}


def resetting(control: Control, **change: Any) -> dict[str, Any]:
    """Return the options of a reset."""
    named = {"agent": "main", "repository": "shop/web", "issue": "7"}
    return {"url": control.url, "api_token": TOKEN, **named, **change}


def test_sweep_removes_and_tells_what_went(control: Control, run_module: Any) -> None:
    control.problems = ["The forge is away."]

    done = run_module(state_sweep, sweeping(control), diff=True)

    assert done.changed is True
    assert control.posted() == [{"dry_run": True}, {"dry_run": False}]
    told = done.result["state_sweep"]
    assert told["counts"] == {
        **COUNTS,
        "recovered": 0,
        "transcripts": 0,
        "skipped": 0,
        "questions": 0,
    }
    assert told["dry_run"] is False
    assert told["candidates"] == [GONE, FILES]
    # I06: what was skipped is a warning and no failure.
    assert told["warnings"] == ["The forge is away."]
    assert "The forge is away." in str(done.result["warnings"])
    assert done.result["diff"]["before"]["kept"] == [
        "session of main, shop/web#7 on agentkeep/issue-7 (its issue is closed)",
        "14 times file of main, debug (too old)",
    ]


def test_check_mode_is_the_dry_run(control: Control, run_module: Any) -> None:
    """I08."""
    done = run_module(state_sweep, sweeping(control), check=True)

    assert done.changed is True
    assert control.posted() == [{"dry_run": True}]
    assert done.result["state_sweep"]["dry_run"] is True


def test_sweep_without_anything_to_remove_changes_nothing(
    control: Control, run_module: Any
) -> None:
    control.counts, control.candidates = {"skipped": 3, "questions": 3}, []

    done = run_module(state_sweep, sweeping(control))

    assert done.changed is False
    assert control.posted() == [{"dry_run": True}]


def test_sweep_that_runs_already_is_waited_for(
    control: Control, run_module: Any
) -> None:
    control.busy = 1

    assert run_module(state_sweep, sweeping(control)).changed is True


def test_sweep_is_waited_for_as_long_as_is_told(
    control: Control, run_module: Any
) -> None:
    control.busy = 100

    done = run_module(state_sweep, sweeping(control, wait_seconds=0))

    assert done.failed is True
    assert "Cannot sweep: Cannot begin a sweep: one runs already" in done.message


@pytest.mark.parametrize("answer", [{}, [], {"counts": {}}, {"counts": 5}])
def test_answer_that_is_no_sweep_is_refused(
    control: Control, run_module: Any, answer: Any
) -> None:
    control.refusal = (200, answer)

    done = run_module(state_sweep, sweeping(control))

    assert "Cannot understand the sweep" in done.message


def test_reset_is_changed_when_something_was_dropped(
    control: Control, run_module: Any
) -> None:
    """I16."""
    done = run_module(session_reset, resetting(control), diff=True)

    assert done.changed is True
    assert done.result["session_reset"]["dropped"] == {
        "worktree": True,
        "session": True,
    }
    assert control.posted() == [{"agent": "main", "repo": "shop/web", "issue": "7"}]
    assert done.result["diff"]["after"] == {"session": False, "worktree": False}


def test_reset_of_nothing_changes_nothing(control: Control, run_module: Any) -> None:
    """I16."""
    control.sessions, control.dropped = [], {"worktree": False, "session": False}

    done = run_module(session_reset, resetting(control))

    assert done.changed is False
    assert done.result["session_reset"]["dropped"]["session"] is False


def test_reset_of_a_worktree_alone_is_changed(
    control: Control, run_module: Any
) -> None:
    control.sessions, control.dropped = [], {"worktree": True, "session": False}

    assert run_module(session_reset, resetting(control)).changed is True


@pytest.mark.parametrize(
    ("sessions", "repository", "changed"),
    [
        ([SESSION], "shop/web", True),
        ([SESSION], "forge:shop/web", True),
        ([], "shop/web", False),
        ([{**SESSION, "issue": "8"}], "shop/web", False),
        ([{**SESSION, "agent": "other"}], "shop/web", False),
    ],
)
def test_reset_in_check_mode_drops_nothing(
    control: Control,
    run_module: Any,
    sessions: list[Any],
    repository: str,
    changed: bool,
) -> None:
    """I16."""
    control.sessions = sessions

    options = resetting(control, repository=repository)
    done = run_module(session_reset, options, check=True)

    assert done.changed is changed
    assert control.posted() == []


def test_reset_of_a_conversation_in_a_turn_fails(
    control: Control, run_module: Any
) -> None:
    control.refusal = (409, {"error": "Conversation is in a turn."})

    done = run_module(session_reset, resetting(control))

    assert "Cannot reset the issue: Conversation is in a turn" in done.message


def test_reset_needs_an_issue(control: Control, run_module: Any) -> None:
    """I14."""
    done = run_module(session_reset, resetting(control, issue="  "))

    assert "Cannot reset the issue: issue is empty" in done.message


@pytest.mark.parametrize(
    ("module", "given"), [(state_sweep, sweeping), (session_reset, resetting)]
)
def test_wrong_token_is_said(
    control: Control, run_module: Any, module: Any, given: Any
) -> None:
    """I15."""
    done = run_module(module, given(control, api_token="wrong"))

    assert done.failed is True
    assert "api_token_file" in done.message
