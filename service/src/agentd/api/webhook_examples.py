# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of webhooks, shown in the OpenAPI document."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TASK = "task-0f7d2c1e-4a55-4c0f-9f0b-6c1f0a2d3e4f"
PAYLOAD: Json = {
    "action": "opened",
    "issue": {
        "number": 7,
        "title": "The basket is empty",
        "body": "@agent look at it, please.",
        "html_url": "https://forge.example/team/shop/issues/7",
        "labels": [],
        "assignees": [],
    },
    "repository": {"full_name": "team/shop"},
    "sender": {"login": "mira"},
}
JIRA: Json = {
    "webhookEvent": "jira:issue_created",
    "user": {"accountId": "5b10a2844c20165700ede21g"},
    "issue": {
        "key": "SHOP-7",
        "self": "https://team.example/rest/api/2/issue/10002",
        "fields": {"summary": "The basket is empty", "labels": ["agentkeep"]},
    },
}
RECEIPT: Json = {
    "outcome": "dispatched",
    "repeated": False,
    "task_id": TASK,
    "detail": None,
}
RECEIVED: Json = {
    "number": 12,
    "source": "github",
    "delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "event": "issues",
    "action": "opened",
    "repository": "team/shop",
    "issue": "7",
    "branch": None,
    "received_at": "2026-03-02T09:30:00.000Z",
    "outcome": "dispatched",
    "detail": None,
    "task_id": TASK,
}
# Not among the requests that anybody could send: they have to be signed.
SIGNED: dict[str, Json] = {"forgejo": PAYLOAD, "github": PAYLOAD, "jira": JIRA}
ANSWERS: dict[str, Json] = {
    "get /webhooks": {"webhooks": [RECEIVED], "more": False},
    **{f"post /webhooks/{source}": RECEIPT for source in SIGNED},
}
