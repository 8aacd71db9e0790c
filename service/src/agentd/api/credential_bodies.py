# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies of credentials: what is taken, and what is told of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

SECRET: dict[str, Any] = {"type": "string", "pattern": "^[!-~]{8,4096}$"}
AGENT: dict[str, Any] = {
    "type": "string",
    "description": "An agent with sign_in direct; the gateway without.",
}
SIGN_IN: dict[str, Any] = {
    "type": "object",
    "required": ["accessToken"],
    "properties": {
        "accessToken": SECRET,
        "refreshToken": {"anyOf": [SECRET, {"type": "null"}]},
        "expiresAt": {"type": ["number", "null"], "description": "In milliseconds."},
    },
}
FORMS: list[dict[str, Any]] = [
    {"required": ["api_key"], "properties": {"api_key": SECRET, "agent": AGENT}},
    {
        "required": ["oauth_token"],
        "properties": {"oauth_token": SECRET, "agent": AGENT},
    },
    {
        "required": ["claudeAiOauth"],
        "properties": {"claudeAiOauth": SIGN_IN, "agent": AGENT},
    },
    SIGN_IN,
]
# Of a body that may come in two types and four forms, no model would tell the truth.
REQUEST: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "anyOf": FORMS}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "The CLI's .credentials.json, or one of the "
                        "forms of the JSON body; its name ends in .json.",
                    },
                    "agent": AGENT,
                },
            },
            "example": {"file": "{…}", "agent": "mail"},
        },
    },
}


class CredentialsBody(BaseModel):
    """How credentials stand; none of them is told."""

    agent: str | None = Field(description="Whose they are; null is the gateway.")
    status: Literal[
        "valid",
        "missing",
        "expired",
        "refresh_needed",
        "signed_out",
        "cli_unavailable",
        "not_used",
        "unknown",
    ]
    source: Literal["declared", "uploaded"] | None = Field(
        description="Where those of the gateway come from."
    )
    kind: Literal["api_key", "oauth"] | None
    expires_at: str | None = Field(description="In ISO 8601.")
    notice: str | None = Field(description="What the caller should know, or null.")
