# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Whether the agent can work now, and what an operator should look at."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

from agentd.agent.boot import Booted
from agentd.agent.credentials import credentials_status
from agentd.agent.directories import probe
from agentd.agent.persona import PersonaUnusable, org_persona
from agentd.agent.settings import AgentSettings

SWEEP_MARK = ".last-cleanup"
TEXTS_BYTES = 48 * 1024
MAX_CHARACTERS = 500


def condition(
    settings: AgentSettings, booted: Booted, durable: bool = True
) -> dict[str, object]:
    """Return what the probe finds, with the boot's errors and warnings, bounded."""
    result = probe(settings, durable)
    found = result["errors"]
    errors = [*booted.errors, *(found if isinstance(found, list) else [])]
    try:
        org_persona(settings)
    except PersonaUnusable as error:
        errors.append(str(error))
    return {
        **result,
        "ok": not errors,
        "errors": fitted(errors, TEXTS_BYTES),
        "warnings": fitted([*booted.warnings, *_sign_in(settings)], TEXTS_BYTES),
        "retention_swept_at": retention_swept_at(Path(settings.config_directory)),
    }


def retention_swept_at(config: Path) -> float | None:
    """Return when the CLI last removed old transcripts, by the mark it leaves."""
    try:
        status = os.lstat(config / SWEEP_MARK)
    except OSError:
        return None
    return status.st_mtime if stat.S_ISREG(status.st_mode) else None


def _sign_in(settings: AgentSettings) -> list[str]:
    status = credentials_status(settings, time.time()).status
    if status in {"not_used", "valid", "refresh_needed"}:
        return []
    return [
        f"The CLI's own sign-in is {status}: turns fail until it is renewed. Sign in "
        f"again into {settings.credentials_directory}, or set sign_in to gateway."
    ]


def fitted(texts: Sequence[str], budget_bytes: int) -> list[str]:
    """Return as many of the texts as fit a frame, and how many more there are."""
    kept: list[str] = []
    for text in texts:
        cut = text[:MAX_CHARACTERS]
        budget_bytes -= len(json.dumps(cut))
        if budget_bytes < 0:
            return [*kept, f"and {len(texts) - len(kept)} more"]
        kept.append(cut)
    return kept
