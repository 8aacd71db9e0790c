# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Examples of answers about usage."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

AT = "2026-03-02T09:30:00.000Z"
DEPLOYMENT: Json = {
    "agent": None,
    "at": AT,
    "bytes": 5_300_224,
    "files": 15,
    "level": "ok",
    "areas": {
        "database": {"bytes": 5_242_880, "files": 3},
        "definitions": {"bytes": 57_344, "files": 12},
    },
    "seconds": 0.002,
    "whole": True,
    "problems": [],
}
AGENT: Json = {
    "agent": "main",
    "at": AT,
    "bytes": 734_003_200,
    "files": 20_418,
    "level": "ok",
    "areas": {
        "memory": {"bytes": 20_971_520, "files": 512},
        "transcripts": {"bytes": 62_914_560, "files": 140},
        "skill_data": {"bytes": 1_048_576, "files": 6},
        "definitions": {"bytes": 0, "files": 0},
        "caches": {"bytes": 419_430_400, "files": 9_760},
        "trees": {"bytes": 229_638_144, "files": 10_000},
    },
    "seconds": 0.061,
    "whole": True,
    "problems": [],
}
ANSWERS: dict[str, Any] = {
    "get /usage": {
        "host": "main",
        "bytes": 739_303_424,
        "files": 20_433,
        "warn_bytes": 5_000_000_000,
        "limit_bytes": None,
        "deployment": DEPLOYMENT,
        "agents": [AGENT],
        "problems": [],
    },
    "get /usage/samples": {
        "samples": [
            {
                "at": AT,
                "host": "main",
                "agent": "main",
                "area": "transcripts",
                "bytes": 62_914_560,
                "files": 140,
            }
        ],
        "more": False,
    },
}
