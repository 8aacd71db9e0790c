# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Times as clients read them."""

from __future__ import annotations

from datetime import UTC, datetime

LATEST = 253_402_300_799.0


def iso(seconds: float) -> str:
    """Return a time since 1970 in ISO 8601; out of range it is the nearest one."""
    within = min(max(seconds, 0.0), LATEST)
    told = datetime.fromtimestamp(within, UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")


def iso_or_null(seconds: float | None) -> str | None:
    """Return a time in ISO 8601, or null."""
    return None if seconds is None else iso(seconds)
