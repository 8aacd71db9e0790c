# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What an agent may ask of a forge, decided without one."""

from __future__ import annotations

import pytest

from agentd.gateway.git_rules import allowed_forge, matches, parse_request
from agentd.gateway.refusal import Refused
from agentd.gateway_settings import Forge

FETCH = (b"info/refs", b"service=git-upload-pack")
PUSH = (b"info/refs", b"service=git-receive-pack")


@pytest.mark.parametrize(
    ("pattern", "repository", "expected"),
    [
        ("*/*", "team/shop", True),
        ("team/*", "team/shop", True),
        ("team/*", "team2/shop", False),
        ("team/sh*", "team/shop", True),
        ("team/sh.p", "team/shop", False),
        ("team/*p", "team/shop-private", False),
        ("Team/shop", "team/shop", False),
        ("*/shop", "team/x/shop", False),
        ("team/shop", "team/shop\n", False),
    ],
)
def test_a_pattern_holds_what_it_says_and_no_more(
    pattern: str, repository: str, expected: bool
) -> None:
    assert matches(repository, [pattern]) is expected


def test_a_request_is_known_by_its_bytes_alone() -> None:
    found = parse_request("POST", b"/git/forge/team/shop.git/git-receive-pack", b"")
    with pytest.raises(Refused):
        parse_request("POST", b"/git/forge/team/shop.git/git-receive-pack\n", b"")

    assert (found.repository, found.pushes) == ("team/shop", True)


@pytest.mark.parametrize(
    ("settings", "asked", "status"),
    [
        ({}, FETCH, None),
        ({}, PUSH, None),
        ({"read_only": True}, FETCH, None),
        ({"read_only": True}, PUSH, 403),
        ({"repositories": []}, FETCH, 403),
        ({"repositories": ["other/*"]}, FETCH, 403),
        ({"agents": {}}, FETCH, 403),
        ({"agents": {"mail": ["*/*"]}}, FETCH, 403),
        ({"agents": {"main": ["team/*"]}}, PUSH, None),
        ({"agents": {"main": ["other/shop"]}}, PUSH, 403),
        ({"repositories": ["other/*"], "agents": {"main": ["team/*"]}}, FETCH, 403),
        ({"kind": "jira"}, FETCH, 404),
    ],
)
def test_a_repository_has_to_be_the_forge_s_and_the_agent_s(
    settings: dict[str, object], asked: tuple[bytes, bytes], status: int | None
) -> None:
    what, query = asked
    forge = Forge.model_validate({"url": "https://git.example", **settings})
    request = parse_request("GET", b"/git/forge/team/shop.git/" + what, query)

    try:
        found = allowed_forge("main", request, {"forge": forge})
    except Refused as refused:
        assert refused.status == status
    else:
        assert status is None and found is forge


@pytest.mark.parametrize(
    "url",
    ["git.example", "ftp://git.example", "https://u:p@git.example", "https://x/?y"],
)
def test_a_forge_s_address_holds_no_secret_and_no_more_than_a_place(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        Forge.model_validate({"url": url})
