# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an agent's side says of one transcript: a claim, checked and bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN = "unknown"
DAMAGED = "damaged"
VERDICTS = frozenset({"sound", DAMAGED, "unusable", "missing", "foreign"})
RESUMABLE = frozenset({"sound", DAMAGED})
MAX_KINDS = 16
_KIND = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True)
class ToldScan:
    """The verdict on a transcript, and the kinds of faults that speak for it."""

    verdict: str = UNKNOWN
    kinds: tuple[str, ...] = ()
    running: bool = False

    @property
    def resumable(self) -> bool:
        """Return whether the session would go on."""
        return self.verdict in RESUMABLE


def read_scan(told: object) -> ToldScan:
    """Return what was told, without all that is not as it should be."""
    if not isinstance(told, dict) or not _is_verdict(told.get("verdict")):
        return ToldScan()
    faults = told.get("faults")
    rows = faults[:MAX_KINDS] if isinstance(faults, list) else []
    kinds = [row.get("kind") for row in rows if isinstance(row, dict)]
    return ToldScan(
        verdict=told["verdict"],
        kinds=tuple(
            kind for kind in kinds if isinstance(kind, str) and _KIND.fullmatch(kind)
        ),
        running=told.get("running") is True,
    )


def _is_verdict(value: object) -> bool:
    return isinstance(value, str) and value in VERDICTS
