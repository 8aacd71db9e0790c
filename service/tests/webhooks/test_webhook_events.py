# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What Forgejo, GitHub and Jira tell is read in one vocabulary."""

from __future__ import annotations

import json
from typing import Any

import pytest
from forge.deliveries import Delivery, delivery, names, signed

from agentd.errors import WebhookUnreadable
from agentd.webhooks.forge_events import read_forge_event
from agentd.webhooks.jira_events import read_jira_event
from agentd.webhooks.payload import parse
from agentd.webhooks.values import SOURCES, Event, Source

from .test_webhook_signatures import lower

TOLD: dict[tuple[Source, str], str] = {
    ("forgejo", "issues.label_updated"): "issues.labeled",
    ("forgejo", "issue_comment.created on a pull request"): "issue_comment.created",
    ("forgejo", "pull_request.closed and merged"): "pull_request.closed",
    ("forgejo", "fork"): "",
    ("github", "issue_comment.created on a pull request"): "issue_comment.created",
    ("github", "pull_request.closed and merged"): "pull_request.closed",
    ("github", "pull_request.synchronize"): "pull_request.synchronized",
    ("github", "ping"): "",
    ("github", "star.created"): "",
    ("jira", "issue_created"): "issues.opened",
    ("jira", "issue_updated and assigned"): "issues.assigned",
    ("jira", "issue_updated and done"): "issues.closed",
    ("jira", "issue_deleted"): "issues.closed",
    ("jira", "comment_created"): "issue_comment.created",
}


def read(source: Source, sent: Delivery) -> Event:
    payload = parse(sent.body)
    if source == "jira":
        return read_jira_event(payload)
    return read_forge_event(source, lower(sent.headers), payload)


@pytest.mark.parametrize("source", SOURCES)
def test_every_documented_event_has_one_name(source: Source) -> None:
    for name in names(source):
        sent = delivery(source, name)
        event = read(source, sent)

        # Whatever else Jira tells is no event of an issue.
        expected = TOLD.get((source, name), "" if source == "jira" else name)
        assert event.name == expected, name
        if event.name and source != "jira":
            assert (event.project, event.sender) == ("team/shop", "mira"), name
            assert event.number.isdigit() and event.url.startswith("https://"), name


def test_an_issue_of_a_forge_is_read_whole() -> None:
    assert read("forgejo", delivery("forgejo", "issues.opened")) == Event(
        event="issues",
        action="opened",
        name="issues.opened",
        project="team/shop",
        number="7",
        sender="mira",
        title="The basket is empty",
        text="What I put into it is gone.",
        url="https://forge.example/team/shop/issues/7",
        labels=("bug",),
    )


def test_an_issue_of_jira_is_read_whole() -> None:
    event = read("jira", delivery("jira", "issue_updated and assigned"))

    assert (event.project, event.number, event.sender) == ("SHOP", "SHOP-7", "mira")
    assert (event.title, event.subject) == ("The basket is empty", "agent")
    assert event.url == "https://team.atlassian.net/browse/SHOP-7"


def test_a_comment_in_atlassians_document_format_is_read() -> None:
    sent = delivery("jira", "comment_created").payload
    said = [
        {"type": "mention", "attrs": {"id": "agent"}},
        {"type": "text", "text": " look"},
    ]
    sent["comment"]["body"] = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": said}],
    }

    assert read_jira_event(sent).text == "[~accountid:agent] look"


@pytest.mark.parametrize("action", ["deleted", "transferred"])
def test_an_issue_that_github_has_no_more_is_closed(action: str) -> None:
    payload = {**delivery("github", "issues.closed").payload, "action": action}

    assert read("github", signed("github", "issues", payload)).name == "issues.closed"


def test_a_comment_that_is_removed_or_changed_gives_no_work() -> None:
    for action in ("deleted", "edited"):
        comment = delivery("github", "issue_comment.created").payload
        sent = signed("github", "issue_comment", {**comment, "action": action})
        assert read("github", sent).name == ""


def test_the_branch_of_a_fork_is_none_of_the_repository() -> None:
    for source in ("forgejo", "github"):
        sent = delivery(source, "pull_request.opened").payload
        assert (
            read(source, signed(source, "pull_request", sent)).branch == "feat/basket"
        )

        sent["pull_request"]["head"]["repo"]["full_name"] = "mallory/shop"
        assert read(source, signed(source, "pull_request", sent)).branch is None
        sent["pull_request"]["head"]["repo"] = None
        assert read(source, signed(source, "pull_request", sent)).branch is None


def test_a_header_that_is_not_of_the_body_is_refused() -> None:
    """The name of the event is not signed; the body is."""
    comment = delivery("github", "issue_comment.created").payload
    comment["action"] = "opened"

    for event, payload in (
        ("issues", comment),
        ("pull_request", delivery("github", "issues.opened").payload),
        ("issues", delivery("github", "pull_request.opened").payload),
    ):
        with pytest.raises(WebhookUnreadable, match="let no proxy change its headers"):
            read("github", signed("github", event, payload))


NUMBERS: tuple[object, ...] = ("7", 7.0, True, None, -1, 0, 10**18, [7], {})
NAMES: tuple[object, ...] = (None, 3, "", ["team/shop"])
ISSUES: tuple[object, ...] = (None, [], "issue", 4)
WRONG = [
    *(("issue.number", one) for one in NUMBERS),
    *(("repository.full_name", one) for one in NAMES),
    *(("issue", one) for one in ISSUES),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_what_is_of_a_wrong_type_is_refused(path: str, value: object) -> None:
    payload = delivery("forgejo", "issues.opened").payload
    put(payload, path, value)

    with pytest.raises(WebhookUnreadable):
        read("forgejo", signed("forgejo", "issues", payload))


ODD: tuple[object, ...] = (None, 3, 1e300, True, [], [[]], {}, {"login": {}})
ODD += ("\ud800", "\x00", "x" * 99_999)


@pytest.mark.parametrize("value", ODD, ids=lambda one: repr(one)[:12])
def test_odd_values_elsewhere_are_told_as_nothing_and_stay_storable(
    value: object,
) -> None:
    for path in ("sender", "sender.login", "issue.title", "issue.body", "issue.labels"):
        payload = delivery("github", "issues.opened").payload
        put(payload, path, value)

        event = read("github", signed("github", "issues", payload))

        said = json.dumps([event.title, event.text, event.sender, event.labels])
        json.loads(said.encode("utf-8"))
        assert "\\ud800" not in said and "\\u0000" not in said
        assert len(event.title) <= 300 and len(event.sender) <= 300


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{" * 100_000,
        b"[" * 900_000,
        b'{"a":' * 150_000 + b"1" + b"}" * 150_000,
        b'{"issue": ' + b"9" * 5000 + b"}",
        b'{"issue": NaN}',
        b'{"issue": -Infinity}',
        b"\xff\xfe{}",
        b'{"payload": "x',
        b"payload=%7B%7D",
    ],
    ids=lambda body: body[:12].hex(),
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookUnreadable, match="is no JSON object"):
        parse(body)


def test_words_that_nobody_sees_are_left_out() -> None:
    payload = delivery("github", "issues.opened").payload
    payload["issue"]["title"] = "a\u202eb\u200bc\x1b[31m\r\nd"

    assert read("github", signed("github", "issues", payload)).title == "abc[31m d"


def put(payload: Any, path: str, value: object) -> None:
    *above, last = path.split(".")
    for key in above:
        payload = payload[key]
    payload[last] = value
