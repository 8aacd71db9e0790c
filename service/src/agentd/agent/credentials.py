# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Whether the CLI's own sign-in is there and good, read from the file that it reads."""

from __future__ import annotations

import json
from pathlib import Path

from agentd.agent.hostile_files import FileUnusable, read_small
from agentd.agent.settings import AgentSettings
from agentd.credentials.status import CredentialsStatus, status_of

NAME = ".credentials.json"
MAX_BYTES = 64 * 1024


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
