# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""agent_probe against a small server that answers like control."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import agent_probe

TOKEN = "a-token-of-the-test"
TURN = {
    "status": "success",
    "conversation_id": "conv-1",
    "session_id": "s-1",
    "result": "I remember mango.",
    "persisted": True,
    "duration_ms": 12,
    "agent": "main",
    "error": None,
}


class Control(HTTPServer):
    """Answer like control, and keep what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, Any]] = []
        self.health_statuses = [200]
        self.agents = [{"name": "main", "connected": True, "ok": True, "errors": []}]
        self.turn: dict[str, Any] = dict(TURN)

    @property
    def url(self) -> str:
        """Return where the server listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return status and body for a request."""
        self.asked.append((method, path, body))
        if path == "/health":
            last = len(self.health_statuses) == 1
            status = self.health_statuses[0] if last else self.health_statuses.pop(0)
            return status, {"status": "ok" if status == 200 else "degraded"}
        if path == "/agents":
            return 200, self.agents
        return (204, None) if method == "DELETE" else (200, self.turn)


class Handler(BaseHTTPRequestHandler):
    """Check the token and pass the request on."""

    server: Control

    def handle_any(self) -> None:
        """Answer one request."""
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        status, content = self.server.answer(self.command, self.path, body)
        if (
            self.path != "/health"
            and self.headers["Authorization"] != f"Bearer {TOKEN}"
        ):
            status, content = 401, {"error": "The token is wrong."}
        self.send_response(status)
        payload = b"" if content is None else json.dumps(content).encode()
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()
        self.wfile.write(payload)

    # The names that the standard library looks for.
    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

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


def options(control: Control, **change: Any) -> dict[str, Any]:
    """Return the options to probe the server with."""
    return {"url": control.url, "api_token": TOKEN, "wait_seconds": 1, **change}


def test_service_that_is_ready_is_reported(control: Control, run_module: Any) -> None:
    done = run_module(agent_probe, options(control))

    assert done.changed is False
    assert done.result["agent_probe"] == {
        "health": {"status": "ok"},
        "agents": control.agents,
        "turn": None,
        "inside": [],
        "warnings": [],
    }


def test_service_that_becomes_ready_is_waited_for(
    control: Control, run_module: Any
) -> None:
    control.health_statuses = [503, 200]

    assert run_module(agent_probe, options(control)).failed is False


@pytest.mark.parametrize(
    ("agent", "says"),
    [
        ({"connected": False}, 'after 0 seconds agent "main" is not connected'),
        ({"ok": False, "errors": ["memory: EROFS"]}, "its state (memory: EROFS)"),
    ],
)
def test_agent_that_is_not_ready_is_named(
    control: Control, run_module: Any, agent: dict[str, Any], says: str
) -> None:
    """A11: what counts is what the agent itself could write."""
    control.agents[0].update(agent)

    done = run_module(agent_probe, options(control, wait_seconds=0))

    assert done.failed is True
    assert says in done.message


def test_unknown_agent_is_refused_at_once(control: Control, run_module: Any) -> None:
    done = run_module(agent_probe, options(control, agent="mail", wait_seconds=60))

    assert 'Cannot probe agent "mail": the service knows only main' in done.message


def test_turn_is_thrown_away(control: Control, run_module: Any) -> None:
    done = run_module(agent_probe, options(control, turn=True, agent="main"))

    assert done.changed is False
    assert done.result["agent_probe"]["turn"]["conversation_id"] == "conv-1"
    assert [(method, path) for method, path, _body in control.asked[-2:]] == [
        ("POST", "/chat"),
        ("DELETE", "/chat/conv-1"),
    ]


def test_a_turn_is_taken_with_each_agent(control: Control, run_module: Any) -> None:
    control.agents.append({**control.agents[0], "name": "mail"})

    done = run_module(agent_probe, options(control, turn=True))

    said = [body["agent"] for _method, path, body in control.asked if path == "/chat"]
    assert done.failed is False
    assert said == ["main", "mail"]
    assert control.asked[-1][0] == "DELETE"


def test_message_is_said_and_kept(control: Control, run_module: Any) -> None:
    said = {"chat_message": "Which words?", "conversation_id": "conv-1"}

    done = run_module(agent_probe, options(control, expect="mango", **said))

    assert done.changed is True
    assert control.asked[-1] == (
        "POST",
        "/chat",
        {"message": "Which words?", "conversation_id": "conv-1"},
    )


def test_check_mode_says_nothing(control: Control, run_module: Any) -> None:
    """A16: the prediction is a change, and nothing is sent."""
    done = run_module(agent_probe, options(control, chat_message="Hello"), check=True)

    assert done.changed is True
    assert {path for _method, path, _body in control.asked} == {"/health", "/agents"}


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        ({"status": "error", "error": "overloaded"}, "'error': overloaded"),
        ({"persisted": False}, "its transcript is not on disk"),
        ({"result": "No."}, '"mango" was expected and the answer is "No."'),
    ],
)
def test_turn_that_proves_nothing_fails(
    control: Control, run_module: Any, turn: dict[str, Any], says: str
) -> None:
    control.turn.update(turn)

    done = run_module(agent_probe, options(control, turn=True, expect="mango"))

    assert done.failed is True
    assert says in done.message


def test_wrong_token_is_explained_and_not_shown(
    control: Control, run_module: Any
) -> None:
    done = run_module(agent_probe, options(control, api_token="not-the-token"))

    assert "The token is wrong. Set api_token, or api_token_file, to" in done.message
    assert "not-the-token" not in json.dumps(done.result)


def test_service_that_is_not_there_is_named(control: Control, run_module: Any) -> None:
    gone = {"url": "http://127.0.0.1:9", "wait_seconds": 0}

    done = run_module(agent_probe, options(control, **gone))

    assert 'Cannot find the service at "http://127.0.0.1:9" ready' in done.message
    assert "Connection refused" in done.message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "127.0.0.1:8700"}, "is not an address of the form"),
        ({"api_token": "a\nb"}, "it has more than one line"),
        ({"expect": "mango"}, "nothing is said to the agent"),
        ({"turn": True, "chat_message": "Hi"}, "both turn and chat_message are set"),
        ({"chat_message": " "}, "it is empty"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    control: Control, run_module: Any, change: dict[str, Any], says: str
) -> None:
    done = run_module(agent_probe, options(control, **change))

    assert done.failed is True
    assert says in done.message
    assert control.asked == []


def test_token_goes_to_no_other_address(control: Control, run_module: Any) -> None:
    control.health_statuses = [302]

    done = run_module(agent_probe, options(control))

    assert "Cannot read the health of the service" in done.message
    assert [path for _method, path, _body in control.asked] == ["/health"]
