# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Webhooks as Forgejo, GitHub and Jira send them, by their documentation.

``payloads/`` has them in the documented form, with our own values; each file names
the pages that it follows under ``sources``.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).with_name("payloads")
SECRET = "webhook-secret-of-the-forge"


@dataclass(frozen=True)
class Delivery:
    """One webhook as it is sent: what is signed are exactly these bytes."""

    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def payload(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


def names(kind: str) -> Iterator[str]:
    """Return the names of the deliveries that a kind of forge sends."""
    return iter(_read(kind))


def delivery(
    kind: str, name: str, secret: str = SECRET, number: int | None = None
) -> Delivery:
    """Return a signed delivery, such as ``delivery("github", "issues.opened")``.

    With a number it is one of another issue or pull request.
    """
    found = _read(kind)[name]
    payload = copy.deepcopy(found["payload"])
    for one in ("issue", "pull_request"):
        if number is not None and isinstance(payload.get(one), dict):
            payload[one]["number"] = number
            if "number" in payload:
                payload["number"] = number
    return signed(kind, found["event"], payload, secret, found.get("event_type"))


def signed(
    kind: str,
    event: str,
    payload: object,
    secret: str = SECRET,
    event_type: str | None = None,
) -> Delivery:
    """Return any payload with the headers that this kind of forge sends."""
    body = json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    once = str(uuid.uuid4())
    if kind == "github":
        headers = {
            "User-Agent": "GitHub-Hookshot/0000000",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": once,
            "X-GitHub-Hook-ID": "601",
            "X-Hub-Signature-256": f"sha256={digest}",
        }
    elif kind == "forgejo":
        headers = _as_forgejo(event, event_type or event, once, digest)
    else:
        headers = {
            "User-Agent": "Atlassian Webhook HTTP Client",
            "X-Atlassian-Webhook-Identifier": once,
            "X-Hub-Signature": f"sha256={digest}",
        }
    return Delivery({"Content-Type": "application/json", **headers}, body)


def _as_forgejo(event: str, kind: str, once: str, digest: str) -> dict[str, str]:
    headers = {"User-Agent": "Go-http-client/1.1"}
    for brand in ("Forgejo", "Gitea", "Gogs"):
        headers[f"X-{brand}-Event"] = event
        headers[f"X-{brand}-Event-Type"] = kind
        headers[f"X-{brand}-Delivery"] = once
        headers[f"X-{brand}-Signature"] = digest
    return {
        **headers,
        "X-GitHub-Event": event,
        "X-GitHub-Event-Type": kind,
        "X-GitHub-Delivery": once,
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def _read(kind: str) -> dict[str, Any]:
    found = json.loads((PAYLOADS / f"{kind}.json").read_text())["deliveries"]
    assert isinstance(found, dict)
    return found
