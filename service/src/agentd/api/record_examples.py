# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of the records of backups and drills, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

KIND = "backup"
BACKUP: Json = {
    "kind": KIND,
    "succeeded": True,
    "at": "2026-03-02T03:00:41.000Z",
    "succeeded_at": "2026-03-02T03:00:41.000Z",
    "detail": {"snapshot": "4f1b2c9d", "bytes": 48_211_004, "seconds": 12.5},
}
REQUESTS: dict[str, Json] = {
    "put /records/{kind}": {
        "succeeded": True,
        "at": "2026-03-02T03:00:41Z",
        "detail": {"snapshot": "4f1b2c9d", "bytes": 48_211_004, "seconds": 12.5},
    },
}
ANSWERS: dict[str, Any] = {
    "put /records/{kind}": BACKUP,
    "get /records": {"records": [BACKUP]},
}
