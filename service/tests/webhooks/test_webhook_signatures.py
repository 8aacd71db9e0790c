# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A body is read only if its sender signed it, as that sender documents it."""

from __future__ import annotations

import ast
import hashlib
import hmac
import inspect
from collections.abc import Mapping

import pytest
from forge.deliveries import SECRET, delivery

from agentd.webhooks import signature
from agentd.webhooks.signature import is_signed
from agentd.webhooks.values import SOURCES, Source

# Published by GitHub and by Atlassian for whoever tests a check of theirs.
PUBLISHED = "It's a Secret to Everybody"
OF_GITHUB = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
OF_JIRA = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
NAMES: dict[Source, str] = {
    "forgejo": "issues.opened",
    "github": "issues.opened",
    "jira": "issue_created",
}


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_the_published_values_of_github_and_jira_are_signatures() -> None:
    github, jira = {"x-hub-signature-256": OF_GITHUB}, {"x-hub-signature": OF_JIRA}

    assert is_signed("github", github, b"Hello, World!", [PUBLISHED])
    assert is_signed("jira", jira, b"Hello World!", [PUBLISHED])


def test_forgejo_and_gitea_sign_with_bare_digits() -> None:
    digits = hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256)
    # RFC 4231, test case 2.
    assert digits.hexdigest().startswith("5bdcc146bf60754e6a042426089575c7")

    for name in ("x-forgejo-signature", "x-gitea-signature"):
        headers = {name: digits.hexdigest()}
        assert is_signed("forgejo", headers, b"what do ya want for nothing?", ["Jefe"])


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_not_signed_with_the_secret_is_refused(source: Source) -> None:
    sent = delivery(source, NAMES[source])
    headers = lower(sent.headers)
    names = [name for name in headers if "signature" in name]

    assert is_signed(source, headers, sent.body, [SECRET])
    assert is_signed(source, headers, sent.body, ["another-secret", SECRET])
    assert not is_signed(source, headers, sent.body + b" ", [SECRET])
    assert not is_signed(source, headers, sent.body, ["another-secret"])
    assert not is_signed(source, headers, sent.body, [])
    for value in ("", "sha256=", "sha1=" + "0" * 40, "\xfc" * 64, "0" * 10_000):
        forged = {**headers, **dict.fromkeys(names, value)}
        assert not is_signed(source, forged, sent.body, [SECRET])
    without = {name: value for name, value in headers.items() if name not in names}
    assert not is_signed(source, without, sent.body, [SECRET])


def test_a_wrong_signature_is_not_made_good_by_another_header() -> None:
    sent = delivery("forgejo", "issues.opened")
    headers = {**lower(sent.headers), "x-forgejo-signature": "0" * 64}

    assert not is_signed("forgejo", headers, sent.body, [SECRET])


def test_a_signature_of_another_sender_is_none_of_this_one() -> None:
    sent = delivery("jira", "issue_created")

    assert not is_signed("github", lower(sent.headers), sent.body, [SECRET])


def test_signatures_are_compared_in_constant_time_only() -> None:
    tree = ast.parse(inspect.getsource(signature.is_signed))
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    called = [
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]

    assert compared == []
    assert "compare_digest" in called
    # A secret that fits does not end the loop before the others.
    assert not any(isinstance(node, ast.Break) for node in ast.walk(tree))
