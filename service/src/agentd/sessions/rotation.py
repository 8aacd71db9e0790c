# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""When a session has grown too large or too old, so that a new one begins."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.sessions.identity import StoredSession

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class RotationLimits:
    """How large a transcript and how old a session may be; null is no limit."""

    max_bytes: int | None = None
    max_days: float | None = None


def rotation_reason(
    stored: StoredSession, limits: RotationLimits, now: float
) -> str | None:
    """Return why the session is to be followed by a new one, or None."""
    size = stored.transcript_bytes
    if limits.max_bytes is not None and size is not None and size > limits.max_bytes:
        return (
            f"its transcript has {size} bytes, and session_max_bytes allows "
            f"{limits.max_bytes}"
        )
    if limits.max_days is None or stored.created_at is None:
        return None
    days = (now - stored.created_at) / DAY_SECONDS
    if days <= limits.max_days:
        return None
    return f"it is {days:.1f} days old, and session_max_days allows {limits.max_days:g}"
