# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Reads the events of Forgejo, Gitea and GitHub: one shape, a few names of their own.

Sources: docs.github.com, Webhook events and payloads; forgejo.org/docs, Webhooks, and
Forgejo's modules/structs/hook.go and modules/webhook/type.go, which name its actions.
The header that names the event is not signed: it has to agree with the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agentd.errors import WebhookUnreadable
from agentd.webhooks.payload import Json, address, at, line, lines, number, text
from agentd.webhooks.values import Event, Source

EVENT_HEADERS: dict[Source, tuple[str, ...]] = {
    "forgejo": ("x-forgejo-event", "x-gitea-event"),
    "github": ("x-github-event",),
}
DELIVERY_HEADERS: dict[Source, tuple[str, ...]] = {
    "forgejo": ("x-forgejo-delivery", "x-gitea-delivery"),
    "github": ("x-github-delivery",),
    "jira": ("x-atlassian-webhook-identifier",),
}
# Forgejo's words for what GitHub has others for.
ACTIONS = {
    "label_updated": "labeled",
    "synchronize": "synchronized",
    "deleted": "closed",
    "transferred": "closed",
}
KNOWN = {
    "issues": frozenset(
        {"opened", "edited", "assigned", "labeled", "closed", "reopened"}
    ),
    "pull_request": frozenset(
        {"opened", "edited", "assigned", "labeled", "closed", "reopened"}
        | {"synchronized", "review_requested"}
    ),
    "issue_comment": frozenset({"created"}),
}
SUBJECTS = {"assigned": "assignee", "review_requested": "requested_reviewer"}


def first_header(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the first of these headers that is there."""
    return next((headers[name] for name in names if headers.get(name)), "")


def read_forge_event(
    source: Source, headers: Mapping[str, str], payload: Json
) -> Event:
    """Return what a forge tells; raise WebhookUnreadable if it is no event of it."""
    event = line({"": first_header(headers, EVENT_HEADERS[source])}, "")[:64]
    given = line(payload, "action")[:64]
    action = given
    if event in KNOWN and not (event == "issue_comment" and given == "deleted"):
        action = ACTIONS.get(given, given)
    if action not in KNOWN.get(event, ()):
        return Event(event=event, action=given)
    if event == "pull_request":
        return _pull_request(event, action, payload)
    if not isinstance(at(payload, "issue"), dict) or (
        (event == "issue_comment") != isinstance(at(payload, "comment"), dict)
    ):
        raise _other(event)
    return _issue(event, action, payload)


def _other(event: str) -> WebhookUnreadable:
    return WebhookUnreadable(
        f'Cannot take this webhook: its header says "{event}", and its body is no such '
        "event. Have the forge send it, and let no proxy change its headers."
    )


def _issue(event: str, action: str, payload: Json) -> Event:
    about = at(payload, "issue")
    said = at(payload, "comment") if event == "issue_comment" else about
    head = at(payload, "pull_request", "head")
    pull = at(about, "pull_request") is not None or at(payload, "is_pull") is True
    told = _told(event, action, payload, "issue", said)
    return replace(told, branch=_branch(payload, head) if pull else None, pull=pull)


def _pull_request(event: str, action: str, payload: Json) -> Event:
    about = at(payload, "pull_request")
    if not isinstance(about, dict):
        raise _other(event)
    told = _told(event, action, payload, "pull_request", about)
    return replace(told, branch=_branch(payload, at(about, "head")), pull=True)


def _told(event: str, action: str, payload: Json, part: str, said: object) -> Event:
    """Return what every event of a part of the body tells; its words are in said."""
    about = at(payload, part)
    return Event(
        event=event,
        action=action,
        name=f"{event}.{action}",
        project=_project(payload),
        number=number(payload, part, "number"),
        sender=_login(at(payload, "sender")),
        title=line(about, "title"),
        text=text(said, "body"),
        url=address(said, "html_url"),
        labels=lines(about, "name", "labels"),
        people=_people(about),
        subject=_subject(action, payload),
    )


def _project(payload: Json) -> str:
    found = text(payload, "repository", "full_name")
    if not found:
        raise WebhookUnreadable(
            'Cannot take this webhook: its "repository.full_name" is no text. Have a '
            "supported forge send it, as docs/webhooks.md lists them."
        )
    return found


def _branch(payload: Json, head: object) -> str | None:
    """Return the branch of a pull request; that of a fork is none of the repository."""
    own = text(payload, "repository", "full_name")
    return text(head, "ref") or None if text(head, "repo", "full_name") == own else None


def _login(user: object) -> str:
    return line(user, "login") or line(user, "username")


def _people(about: object) -> tuple[str, ...]:
    """Return who is to do it, or to look at it."""
    return (
        *lines(about, "login", "assignees"),
        *lines(about, "login", "requested_reviewers"),
    )


def _subject(action: str, payload: Json) -> str | None:
    """Return who or what was added; None where the sender does not say so."""
    if action == "labeled":
        return line(payload, "label", "name") or None
    return _login(at(payload, SUBJECTS.get(action, ""))) or None
