# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of sweeps, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SWEEP: Json = {
    "number": 7,
    "started_at": "2026-03-02T03:00:00.000Z",
    "finished_at": "2026-03-02T03:00:04.310Z",
    "host": "one",
    "asked_by": "request",
    "dry_run": False,
    "counts": {
        "sessions": 1,
        "trees": 1,
        "clones": 0,
        "recovered": 0,
        "transcripts": 1,
        "files": 14,
        "bytes": 402_113,
        "skipped": 1,
        "questions": 5,
    },
    "problems": [
        'Cannot ask forge "forge" about issue "9" of "shop/web": it did not answer in '
        "time. Look at the gateway's log."
    ],
}
CLOSED: Json = {
    "kind": "session",
    "reason": "closed",
    "agent": "main",
    "repository": "shop/web",
    "issue": "17",
    "branch": "agentkeep/issue-17",
    "name": None,
    "count": 1,
    "bytes": None,
}
FILES: Json = {
    "kind": "file",
    "reason": "age",
    "agent": "main",
    "repository": None,
    "issue": None,
    "branch": None,
    "name": "debug",
    "count": 14,
    "bytes": 284_110,
}
REQUESTS: dict[str, Json] = {"post /sweep": {"dry_run": True}}
ANSWERS: dict[str, Any] = {
    "post /sweep": {**SWEEP, "candidates": [CLOSED, FILES], "more_candidates": False},
    "get /sweeps": {"sweeps": [SWEEP]},
}
