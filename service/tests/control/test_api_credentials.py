# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Credentials over HTTP: to the gateway, or to an agent's own CLI; never to control."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from models import gateway, kept, model

from agentd.errors import AgentUnavailable, CallRefused

from .fakes import FakeSpawner
from .running_app import Parts, control

CANARY = "sk-ant-oat01-canary"
KEY = "sk-ant-api03-canary"
PATHS = ["/api/credentials", "/api/credentials/upload"]


def file(**values: object) -> dict[str, object]:
    """Return the CLI's file, wrapped."""
    ends = (time.time() + 7200) * 1000
    return {"claudeAiOauth": {"accessToken": CANARY, "expiresAt": ends, **values}}


@dataclass
class Side(FakeSpawner):
    """An agent side that notes what it is signed in with."""

    status: str = "missing"
    given: list[object] = field(default_factory=list)
    refusal: str | None = None

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        if not name.endswith(("_credentials", "credentials_status")):
            return await super().call(
                agent, name, parameters, timeout_seconds=timeout_seconds
            )
        if not self.connected[agent]:
            raise AgentUnavailable(f'Agent "{agent}" is not connected.')
        if name == "put_credentials":
            if self.refusal:
                raise CallRefused(self.refusal)
            self.given.append(parameters["credentials"])
            self.status = "valid"
        if name == "drop_credentials":
            self.status = "missing"
        return {"status": self.status, "expires_at": None}


async def test_a_key_goes_to_the_gateway_and_leaves_no_trace_in_control(
    tmp_path: Path, short_path: Path
) -> None:
    """P09, P11, J14: in each form, by each path."""
    (short_path / "credentials").mkdir()
    places = kept(short_path, credentials_directory=str(short_path / "credentials"))
    parts = Parts(settings={"gateway_status_socket": places["status_socket"]})
    told = []
    async with (
        model() as upstream,
        gateway(short_path, upstream.url, **places),
        control(tmp_path, parts) as running,
    ):
        client = running.client
        for path in PATHS:
            told.append(await client.post(path, json={"api_key": KEY}))
            told.append(await client.post(path, json={"oauth_token": CANARY}))
            told.append(await client.post(path, json=file()))
            upload = {"file": ("claude.json", json.dumps(file(refreshToken=CANARY)))}
            told.append(await client.post(path, files=upload))
        told.append(await client.get("/api/credentials/status"))
        told.append(await client.delete("/api/credentials"))

    bodies = [answer.json() for answer in told]
    assert [answer.status_code for answer in told] == [200] * 10, bodies
    assert [one["kind"] for one in bodies[:4]] == ["api_key", "oauth", "oauth", "oauth"]
    assert {(one["status"], one["source"]) for one in bodies[:9]} == {
        ("valid", "uploaded")
    }
    assert bodies[3]["expires_at"].endswith("Z")
    assert "renews no sign-in" in bodies[3]["notice"]
    assert "DELETE /api/credentials" in bodies[0]["notice"]
    assert bodies[9]["notice"] is None
    assert bodies[9]["source"] == "declared"
    assert all("canary" not in answer.text for answer in told)
    assert not any(
        b"canary" in one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()
    )


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"json": {}}, "neither api_key nor oauth_token"),
    ({"json": []}, "no JSON object"),
    ({"content": b'{"api_key": "canary'}, "no JSON"),
    ({"content": b"[" * 60_000}, "no JSON"),
    ({"content": b" " * 70_000}, "larger than 65536"),
    ({"json": {"api_key": CANARY}}, "Send it as oauth_token"),
    ({"json": file(expiresAt=1000)}, "it expired at 1970-01-01T00:00:01"),
    ({"json": {"api_key": KEY, "agent": 7}}, "agent is no name"),
    ({"json": {"api_key": KEY, "agent": "main"}}, "takes a token only"),
    ({"files": {"file": ("x.txt", json.dumps(file()))}}, "does not end in .json"),
    ({"files": {"file": ("x.json", "canary")}}, "no JSON"),
    ({"files": {"file": ("x.json", b" " * 70_000)}}, "larger than 65536"),
    ({"files": {"a": ("x.json", "1"), "b": ("y.json", "2")}}, "Too many files"),
    ({"files": {"file": ("x.json", "{}")}, "data": {"canary": "1"}}, "more or less"),
    ({"files": {"agent": (None, "main")}}, "more or less than one file"),
    (
        {"json": {"oauth_token": CANARY, "agent": "main"}, "params": {"agent": "b"}},
        "it names two agents",
    ),
]


@pytest.mark.parametrize(("request_", "why"), REFUSED)
async def test_what_cannot_be_used_is_refused_before_anybody_is_asked(
    tmp_path: Path, request_: dict[str, Any], why: str
) -> None:
    """P09: 400, and nothing of it is quoted."""
    side = Side()
    async with control(tmp_path, Parts(spawner=side)) as running:
        answer = await running.client.post("/api/credentials", **request_)

    assert answer.status_code == 400, answer.text
    assert why in answer.text
    assert "canary" not in answer.text
    assert side.given == []


async def test_an_agent_s_own_cli_is_signed_in_and_out(
    tmp_path: Path, database_url: str
) -> None:
    """P10: the agent's side is given the CLI's own form."""
    side = Side()
    parts = Parts(spawner=side, settings={"database_url": database_url})
    async with control(tmp_path, parts) as running:
        client = running.client
        conversation = (await running.say()).json()["conversation_id"]
        put = await client.post("/api/credentials?agent=main", json=file(scopes=["a"]))
        form = {"file": ("a.json", json.dumps(file()))}
        again = await client.post(PATHS[1], files=form, data={"agent": "main"})
        known = await client.get("/api/credentials/status?agent=main")
        kept = list(running.engine.closed)
        gone = await client.delete("/api/credentials?agent=main")
        unknown = await client.get("/api/credentials/status?agent=nobody")
        nameless = await client.post("/api/credentials?agent=", json=file())

    assert (kept, running.engine.closed) == ([], [conversation])
    first, _second = side.given
    assert isinstance(first, dict)
    assert first["claudeAiOauth"]["accessToken"] == CANARY
    assert first["claudeAiOauth"]["scopes"] == ["a"]
    assert put.json()["agent"] == again.json()["agent"] == "main"
    assert [one.json()["status"] for one in (put, known, gone)] == [
        "valid",
        "valid",
        "missing",
    ]
    assert (unknown.status_code, nameless.status_code) == (404, 404)


@pytest.mark.parametrize(
    ("side", "status", "why"),
    [
        (Side(status="not_used"), 409, "the gateway adds the key"),
        (Side(refusal="its directory is not there"), 503, "not there"),
        (Side(connected={"main": False}), 503, "not connected"),
    ],
)
async def test_an_agent_that_cannot_take_a_sign_in_says_why(
    tmp_path: Path, side: Side, status: int, why: str
) -> None:
    async with control(tmp_path, Parts(spawner=side)) as running:
        answer = await running.client.post("/api/credentials?agent=main", json=file())

    assert answer.status_code == status
    assert why in answer.json()["error"]


@pytest.mark.parametrize("told", ["cli_unavailable", "refresh_needed", "nonsense", 7])
async def test_what_an_agent_tells_of_itself_is_told_within_bounds(
    tmp_path: Path, told: Any
) -> None:
    """P11."""
    async with control(tmp_path, Parts(spawner=Side(status=told))) as running:
        answer = await running.client.get("/api/credentials/status?agent=main")

    known = told in ("cli_unavailable", "refresh_needed")
    assert answer.json()["status"] == (told if known else "unknown")


async def test_a_gateway_that_does_not_answer_is_said(
    tmp_path: Path, short_path: Path
) -> None:
    nowhere = {"gateway_status_socket": str(short_path / "none.sock")}
    async with control(tmp_path, Parts(settings=nowhere)) as running:
        away = await running.client.post("/api/credentials", json={"api_key": KEY})
    async with control(tmp_path / "", Parts()) as running:
        unset = await running.client.get("/api/credentials/status")

    assert (away.status_code, unset.status_code) == (503, 503)
    assert "none.sock" in away.json()["error"]
    assert "gateway_status_socket" in unset.json()["error"]
