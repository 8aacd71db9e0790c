# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sweeps over HTTP, with all of control in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from control.running_app import Parts, control

from agentd.api.gateway_issues import GatewayIssues
from agentd.errors import GatewayUnavailable, WorkRefused
from agentd.workdirs.names import RepositoryName

REPOSITORY = RepositoryName("forge", "shop", "web")


async def test_a_sweep_answers_with_its_counts_and_is_listed(tmp_path: Path) -> None:
    # I07
    async with control(tmp_path) as one:
        done = await one.client.post("/sweep")
        dry = await one.client.post("/sweep", json={"dry_run": True})
        listed = await one.client.get("/sweeps", params={"limit": 1})

    assert done.status_code == dry.status_code == 200
    assert done.json()["counts"]["clones"] == 0
    assert done.json()["candidates"] == []
    assert [each["dry_run"] for each in listed.json()["sweeps"]] == [True]
    assert listed.json()["sweeps"][0]["asked_by"] == "request"


async def test_an_agent_that_is_away_is_no_failure(tmp_path: Path) -> None:
    # I06: the answer is success, with a warning.
    parts = Parts()
    parts.spawner.connected = {"main": False}
    async with control(tmp_path, parts) as one:
        done = await one.client.post("/sweep")

    assert done.status_code == 200
    assert done.json()["counts"]["skipped"] == 1
    assert "not connected" in done.json()["problems"][0]


async def test_a_second_sweep_is_refused_while_one_runs(tmp_path: Path) -> None:
    parts = Parts()
    called, go = asyncio.Event(), asyncio.Event()
    ordinary = parts.spawner.call

    async def call(*given: object, **more: object) -> dict[str, object]:
        if given[1] == "list_old_transcripts":
            called.set()
            await go.wait()
        return await ordinary(*given, **more)  # type: ignore[arg-type]

    parts.spawner.call = call  # type: ignore[method-assign]
    async with control(tmp_path, parts) as one, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(one.client.post("/sweep"))
        await called.wait()
        second = await one.client.post("/sweep")
        running = (await one.client.get("/sweeps")).json()["sweeps"][0]
        go.set()

    assert second.status_code == 409
    assert "one runs already" in second.json()["error"]
    assert running["finished_at"] is None
    assert first.result().status_code == 200


@asynccontextmanager
async def gateway(
    directory: Path,
    status: int,
    body: object,
    question: bytes = b"/forges/forge/issues?repository=shop%2Fweb&issue=7 ",
) -> AsyncIterator[str]:
    """Give the path of a socket at which one answer is given to everything."""
    asked: list[bytes] = []

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        writer.write(b"HTTP/1.1 %d X\r\n\r\n" % status + text)
        await writer.drain()
        writer.close()

    path = str(directory / "status.sock")
    async with await asyncio.start_unix_server(answer, path):
        yield path
    assert question in asked[0]


@pytest.mark.parametrize("state", ["open", "closed", "missing"])
async def test_the_gateway_is_asked_about_issues(short_path: Path, state: str) -> None:
    async with gateway(short_path, 200, {"state": state}) as path:
        assert await GatewayIssues(path).state(REPOSITORY, "7") == state


async def test_an_issue_of_a_tracker_is_asked_about_there(
    short_path: Path, tmp_path: Path
) -> None:
    """Work that came from Jira is in a repository of a forge without that issue."""
    question = b"/forges/jira/issues?repository=shop%2Fweb&issue=SHOP-7 "
    async with gateway(short_path, 200, {"state": "closed"}, question) as path:
        issues = GatewayIssues(path, tracker="jira")
        assert await issues.state(REPOSITORY, "SHOP-7") == "closed"

    nobody = str(tmp_path / "none.sock")
    assert await GatewayIssues(nobody).state(REPOSITORY, "SHOP-7") == "missing"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (502, {"error": "The forge is away."}, "The forge is away."),
        (500, b"nothing", "it said HTTP/1.1 500"),
        (200, {"state": "merged"}, "tells no state"),
        (200, {"state": ["open"]}, "tells no state"),
        (200, b"[" * 60_000, "recursion depth"),
        (200, b"x" * 70_000, "larger than"),
    ],
)
async def test_what_is_no_state_is_an_error_with_its_reason(
    short_path: Path, status: int, body: object, why: str
) -> None:
    # I06
    async with gateway(short_path, status, body) as path:
        with pytest.raises(GatewayUnavailable, match=why):
            await GatewayIssues(path).state(REPOSITORY, "7")


@pytest.mark.parametrize("status", [400, 403])
async def test_a_question_that_may_not_be_asked_is_no_fault_of_the_forge(
    short_path: Path, status: int
) -> None:
    # I06
    async with gateway(short_path, status, {"error": "It is no issue."}) as path:
        with pytest.raises(WorkRefused, match="It is no issue"):
            await GatewayIssues(path).state(REPOSITORY, "7")


async def test_no_gateway_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(GatewayUnavailable, match="Look at the gateway's log"):
        await GatewayIssues(str(tmp_path / "none.sock")).state(REPOSITORY, "7")
