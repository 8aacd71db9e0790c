# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Reads the events of Jira.

Source: developer.atlassian.com, Jira Cloud, Webhooks; only events of issues are
documented in full. An address stands for its REST resource, so that of the page is made
from it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from agentd.errors import WebhookUnreadable
from agentd.webhooks.payload import (
    MAX_DEPTH,
    MAX_LISTED,
    MAX_TEXT,
    Json,
    address,
    at,
    line,
    text,
)
from agentd.webhooks.values import Event

KEY = re.compile(r"([A-Z][A-Z0-9_]{0,30})-[1-9][0-9]{0,15}")
CREATED, UPDATED = "jira:issue_created", "jira:issue_updated"
DELETED, COMMENTED = "jira:issue_deleted", "comment_created"
ISSUE_EVENTS = frozenset({CREATED, UPDATED, DELETED, COMMENTED})
DONE = "done"


def read_jira_event(payload: Json) -> Event:
    """Return what Jira tells; raise WebhookUnreadable if it is no event of it."""
    told = line(payload, "webhookEvent")[:64]
    if told not in ISSUE_EVENTS:
        return Event(event=told)
    key = KEY.fullmatch(text(payload, "issue", "key"))
    if key is None:
        raise WebhookUnreadable(
            'Cannot take this webhook: its "issue.key" is no key of an issue. Have '
            "Jira send it, as docs/webhooks.md describes it."
        )
    fields = at(payload, "issue", "fields")
    commented = told == COMMENTED
    action, subject = _action(told, payload)
    name = f"issue_comment.{action}" if commented else f"issues.{action}"
    return Event(
        event=told,
        action=action,
        name=name if action else "",
        project=key[1],
        number=key[0],
        sender=_user(at(payload, "comment", "author") if commented else None)
        or _user(at(payload, "user")),
        title=line(fields, "summary"),
        text=_written(
            at(payload, "comment", "body") if commented else at(fields, "description")
        ),
        url=_page(address(payload, "issue", "self"), key[0]),
        labels=_labels(fields),
        people=tuple(filter(None, [_user(at(fields, "assignee"))])),
        subject=subject,
    )


def _action(told: str, payload: Json) -> tuple[str, str | None]:
    """Return what happened, and who or what was added."""
    if told != UPDATED:
        return {CREATED: "opened", DELETED: "closed"}.get(told, "created"), None
    changes = _changes(payload)
    category = text(payload, "issue", "fields", "status", "statusCategory", "key")
    moved = bool({"status", "resolution"} & changes.keys())
    if moved and category == DONE:
        return "closed", None
    now = _user(at(payload, "issue", "fields", "assignee"))
    if "assignee" in changes and now:
        return "assigned", now
    before = line(changes.get("labels"), "fromString").split()
    after = line(changes.get("labels"), "toString").split()
    if added := [one for one in after if one not in before]:
        return "labeled", added[0]
    edited = bool({"summary", "description"} & changes.keys())
    return "edited" if edited else "reopened" if moved else "", None


def _changes(payload: Json) -> dict[str, object]:
    found = at(payload, "changelog", "items")
    items = found[:MAX_LISTED] if isinstance(found, list) else []
    return {line(item, "field"): item for item in items if line(item, "field")}


def _user(user: object) -> str:
    """Return the account of a user, or what Jira Data Center has in its place."""
    return line(user, "accountId") or line(user, "name")


def _labels(fields: object) -> tuple[str, ...]:
    found = at(fields, "labels")
    listed = found[:MAX_LISTED] if isinstance(found, list) else []
    return tuple(filter(None, (line(one) for one in listed)))


def _page(resource: str, key: str) -> str:
    if not resource:
        return ""
    parts = urlsplit(resource)
    above = parts.path.partition("/rest/")[0]
    return f"{parts.scheme}://{parts.netloc}{above}/browse/{key}"


def _written(value: object) -> str:
    """Return what was written: plain, or in Atlassian's document format."""
    if isinstance(value, str):
        return text(value)
    found: list[str] = []
    _collect(value, found, 0)
    return "".join(found).strip()


def _collect(node: object, found: list[str], depth: int) -> None:
    if depth > MAX_DEPTH or len(found) > MAX_TEXT:
        return
    if account := text(node, "attrs", "id") if at(node, "type") == "mention" else "":
        found.append(f"[~accountid:{account}]")
        return
    found.append(text(node, "text"))
    below = at(node, "content")
    for inner in below if isinstance(below, list) else []:
        _collect(inner, found, depth + 1)
    if at(node, "type") in {"paragraph", "heading", "codeBlock", "listItem"}:
        found.append("\n")
