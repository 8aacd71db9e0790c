# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control is told of issues, and of forges that are not well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from forge.stand_in import TOKEN, Forge
from forge.through_gateway import through_gateway

from agentd.gateway.forge_access import ForgeAccess, ForgeToken
from agentd.gateway_settings import Forge as ForgeSettings


@asynccontextmanager
async def asking(
    directory: Path, forges: dict[str, object]
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client on the status socket of a gateway with these forges."""
    async with through_gateway(directory, forges) as reached:
        transport = httpx.AsyncHTTPTransport(uds=str(reached.status_socket))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://x", timeout=30
        ) as client:
            yield client


def kinds(forge: Forge) -> dict[str, object]:
    """Return the same forge as each kind of forge."""
    return {
        "forgejo": forge.settings(repositories=["team/*"]),
        "github": forge.settings(kind="github"),
        "jira": forge.settings(kind="jira"),
    }


async def state(client: httpx.AsyncClient, forge: str, issue: str) -> object:
    """Return what is told of an issue: its state, or the error's status."""
    asked = {"repository": "team/shop", "issue": issue}
    answer = await client.get(f"/forges/{forge}/issues", params=asked)
    assert TOKEN not in answer.text
    return answer.json().get("state", answer.status_code)


async def test_the_state_of_an_issue_is_what_each_kind_of_forge_says(
    short_path: Path, forge: Forge
) -> None:
    forge.set_issue("team/shop", 7, "open")
    forge.set_issue("team/shop", 8, "closed")
    forge.set_issue("jira", "SHOP-7", "open")
    forge.set_issue("jira", "SHOP-8", "closed")
    async with asking(short_path, kinds(forge)) as client:
        for kind, key in (("forgejo", ""), ("github", ""), ("jira", "SHOP-")):
            found = [await state(client, kind, f"{key}{one}") for one in (7, 8, 9)]
            assert found == ["open", "closed", "missing"], kind

    paths = [one["path"] for one in forge.requests()]
    assert "/api/v1/repos/team/shop/issues/7" in paths
    assert "/api/v3/repos/team/shop/issues/7" in paths
    assert "/rest/api/2/issue/SHOP-7?fields=status" in paths
    assert all(one["authorized"] for one in forge.requests())


FAULTS: list[tuple[dict[str, object], int, str]] = [
    ({"status": 401}, 502, "refuses the token"),
    ({"status": 403}, 502, "may not ask this"),
    ({"status": 429}, 503, "too often"),
    ({"status": 500}, 502, "status 500"),
    ({"status": 301, "headers": {"Location": "/elsewhere"}}, 502, "another name"),
    ({"status": 200, "body": {"state": "odd"}}, 502, "as the API of forgejo"),
    ({"status": 200, "body": ["x" * 3_000_000]}, 502, "far too much"),
    ({"status": 410}, 200, "missing"),
]


async def test_what_a_forge_does_not_tell_is_an_error_and_no_state(
    short_path: Path, forge: Forge
) -> None:
    async with asking(short_path, {"forge": forge.settings()}) as client:
        for fault, status, told in FAULTS:
            forge.break_with({"path": "/api/", **fault})
            question = "/forges/forge/issues?repository=team/shop&issue=7"
            answer = await client.get(question)

            assert (answer.status_code, told in answer.text) == (status, True), fault
            assert TOKEN not in answer.text

    # Nothing is asked again, and no redirect is followed.
    assert len(forge.requests()) == len(FAULTS)


NO_QUESTIONS = [
    ("other/issues?repository=team/shop&issue=7", 404),
    ("forgejo/issues?repository=team/shop&issue=..", 400),
    ("forgejo/issues?repository=team/shop&issue=7%2F..%2F..", 400),
    ("forgejo/issues?repository=team/..&issue=7", 400),
    ("forgejo/issues?repository=team/shop/x&issue=7", 400),
    ("forgejo/issues?repository=other/shop&issue=7", 403),
    ("forgejo/issues", 400),
    ("jira/issues?issue=7", 400),
]


async def test_a_question_that_is_none_reaches_no_forge(
    short_path: Path, forge: Forge
) -> None:
    async with asking(short_path, kinds(forge)) as client:
        for question, status in NO_QUESTIONS:
            answer = await client.get(f"/forges/{question}")

            assert answer.status_code == status, question
            assert answer.json()["error"]
    assert forge.requests() == []


async def test_a_forge_that_is_not_well_is_told_until_it_is(
    short_path: Path, forge: Forge, tmp_path: Path
) -> None:
    gone = {"kind": "forgejo", "url": "http://127.0.0.1:9", "token_file": "/none"}
    forge.set_issue("team/shop", 7, "open")
    forges = {"forge": forge.settings(), "gone": gone}
    async with asking(short_path, forges) as client:
        forge.break_with({"path": "/api/", "status": 401})
        assert await state(client, "forge", "7") == 502
        assert await state(client, "gone", "7") == 502
        faults = " ".join((await client.get("/status")).json()["faults"])
        forge.break_with()
        assert await state(client, "forge", "7") == "open"
        after = " ".join((await client.get("/status")).json()["faults"])

    assert 'Forge "forge": it refuses the token' in faults
    assert "Cannot reach http://127.0.0.1:9" in faults and "/none" in faults
    assert 'Forge "forge"' not in after


@pytest.mark.parametrize(
    ("kind", "url", "api_url", "expected"),
    [
        ("github", "https://github.com/", None, "https://api.github.com"),
        ("github", "https://git.example", None, "https://git.example/api/v3"),
        ("forgejo", "https://git.example/f", None, "https://git.example/f/api/v1"),
        ("jira", "https://a.atlassian.net", None, "https://a.atlassian.net/rest/api/2"),
        ("github", "https://github.com", "https://p.example/x/", "https://p.example/x"),
    ],
)
def test_the_api_is_where_each_kind_of_forge_has_it(
    kind: str, url: str, api_url: str | None, expected: str
) -> None:
    settings = ForgeSettings.model_validate(
        {"kind": kind, "url": url, "api_url": api_url}
    )

    access = ForgeAccess("forge", settings, httpx.AsyncHTTPTransport())

    assert access.api_url == expected


def test_what_was_wrong_long_ago_or_without_a_token_degrades_nothing(
    tmp_path: Path,
) -> None:
    now = [1000.0]
    settings = ForgeSettings.model_validate({"url": "https://git.example"})
    (tmp_path / "token").write_text("t\n")
    token = ForgeToken(str(tmp_path / "token"))
    way = httpx.AsyncHTTPTransport()
    public = ForgeAccess("public", settings, way, clock=lambda: now[0])
    signed = ForgeAccess("signed", settings, way, token, clock=lambda: now[0])

    for one in (public, signed):
        one.note(401)
    found = (public.faults(), len(signed.faults()))
    now[0] += 901

    assert found == ((), 1)
    assert signed.faults() == ()
