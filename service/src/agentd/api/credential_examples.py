# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of credentials, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

KEY = {"api_key": "sk-ant-api03-of-nobody"}
STATUS: dict[str, Any] = {
    "agent": None,
    "status": "valid",
    "source": "uploaded",
    "kind": "api_key",
    "expires_at": None,
    "notice": None,
}

REQUESTS: dict[str, dict[str, Any]] = {
    "post /api/credentials": KEY,
    "post /api/credentials/upload": KEY,
}
ANSWERS: dict[str, Any] = {
    "post /api/credentials": STATUS,
    "post /api/credentials/upload": STATUS,
    "get /api/credentials/status": STATUS,
    "delete /api/credentials": {**STATUS, "source": "declared"},
}
