# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""How a sign-in stands: good, soon to be renewed, over, or none."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.credentials.credential import WRAPPER, expiry_of
from agentd.errors import CredentialsRefused

REFRESH_SECONDS = 30 * 60


@dataclass(frozen=True)
class CredentialsStatus:
    """The status, and until when the token is good; the token is not in it."""

    status: str
    expires_at: float | None = None

    def for_output(self) -> dict[str, object]:
        """Return it for an answer."""
        return {"status": self.status, "expires_at": self.expires_at}


def status_at(expires_at: float | None, now: float) -> CredentialsStatus:
    """Return the state of what is good until then; None has no end."""
    if expires_at is None:
        return CredentialsStatus("valid")
    if expires_at <= now:
        return CredentialsStatus("expired", expires_at)
    near = expires_at - now < REFRESH_SECONDS
    return CredentialsStatus("refresh_needed" if near else "valid", expires_at)


def status_of(value: object, now: float) -> CredentialsStatus:
    """Return the state of what the CLI's file holds."""
    inner = value.get(WRAPPER) if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not _is_text(inner.get("accessToken")):
        return CredentialsStatus("signed_out")
    try:
        return status_at(expiry_of(inner.get("expiresAt")), now)
    except CredentialsRefused:
        return CredentialsStatus("signed_out")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
