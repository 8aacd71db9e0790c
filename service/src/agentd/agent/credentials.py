# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Whether the CLI's own sign-in is there and good, read from the file that it reads."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from agentd.agent.hostile_files import FileUnusable, read_small
from agentd.agent.settings import AgentSettings

NAME = ".credentials.json"
MAX_BYTES = 64 * 1024
REFRESH_SECONDS = 30 * 60


@dataclass(frozen=True)
class CredentialsStatus:
    """The status, and until when the token is good; the token is not in it."""

    status: str
    expires_at: float | None = None

    def for_output(self) -> dict[str, object]:
        """Return it for an answer."""
        return {"status": self.status, "expires_at": self.expires_at}


def credentials_status(settings: AgentSettings, now: float) -> CredentialsStatus:
    """Return the state of the sign-in; not_used when the gateway adds the key."""
    if settings.sign_in != "direct":
        return CredentialsStatus("not_used")
    try:
        content = read_small(Path(settings.credentials_directory) / NAME, MAX_BYTES)
    except FileUnusable:
        return CredentialsStatus("signed_out")
    if content is None:
        return CredentialsStatus("missing")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return CredentialsStatus("signed_out")
    return status_of(value, now)


def status_of(value: object, now: float) -> CredentialsStatus:
    """Return the state of what the file holds; a time in it counts milliseconds."""
    inner = value.get("claudeAiOauth") if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not _is_text(inner.get("accessToken")):
        return CredentialsStatus("signed_out")
    expires = inner.get("expiresAt")
    if expires is None:
        return CredentialsStatus("valid")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        return CredentialsStatus("signed_out")
    try:
        at = float(expires) / 1000
    except OverflowError:
        at = math.inf
    if not math.isfinite(at):
        return CredentialsStatus("signed_out")
    if at <= now:
        return CredentialsStatus("expired", at)
    near = at - now < REFRESH_SECONDS
    return CredentialsStatus("refresh_needed" if near else "valid", at)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
