# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The files that the CLI keeps of its user: settings.json and .claude.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from agentd.agent.hostile_files import FileUnusable, read_small, replace_file, set_aside

MAX_SETTINGS_BYTES = 1024 * 1024
MAX_STATE_BYTES = 16 * 1024 * 1024
MAX_BACKUPS = 1000
MAX_DAYS = 365_000
STATE_FILE = ".claude.json"
REQUIRED_ENVIRONMENT = {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "0"}


def write_cli_settings(config: Path, cleanup_period_days: int) -> list[str]:
    """Merge what has to hold into settings.json; return warnings.

    Every key that is there is kept. A file that is none is kept beside. A file with
    all of it is left untouched.
    """
    path = config / "settings.json"
    present, warnings = _object(path, MAX_SETTINGS_BYTES)
    wanted = merged(present or {}, cleanup_period_days)
    if present != wanted:
        try:
            content = json.dumps(wanted, indent=2)
        except RecursionError:
            # Deeper than it can be written: as bad as a file that cannot be read.
            kept = set_aside(path)
            warnings.append(f"{path} is nested too deeply. It is kept as {kept}.")
            content = json.dumps(merged({}, cleanup_period_days), indent=2)
        replace_file(path, content.encode() + b"\n")
    return warnings


def merged(
    present: Mapping[str, object], cleanup_period_days: int
) -> dict[str, object]:
    """Return the settings with what has to hold; a longer retention is kept."""
    environment = present.get("env", {})
    if isinstance(environment, dict):
        environment = {**REQUIRED_ENVIRONMENT, **environment}
    days = _days(present.get("cleanupPeriodDays"))
    return {
        **present,
        "env": environment,
        "cleanupPeriodDays": max(days, cleanup_period_days),
    }


def _days(value: object) -> int:
    good = isinstance(value, int) and not isinstance(value, bool)
    return value if good and 0 < value <= MAX_DAYS else 0  # type: ignore[operator,return-value]


def settle_state_file(config: Path) -> list[str]:
    """Put the newest good backup in the place of a damaged .claude.json (E05).

    The CLI refuses to start with a damaged one; without one it begins anew.
    """
    path = config / STATE_FILE
    present, warnings = _object(path, MAX_STATE_BYTES)
    if present is not None or not warnings:
        return warnings
    for backup in _backups(config / "backups"):
        found, _unusable = _read(backup, MAX_STATE_BYTES)
        if found is not None:
            with suppress(RecursionError):
                replace_file(path, json.dumps(found).encode(), mode=0o600)
                return [*warnings, f"{path} was put back from {backup}."]
    return warnings


def _backups(directory: Path) -> list[Path]:
    try:
        names = os.listdir(directory)[:MAX_BACKUPS]
    except OSError:
        return []
    stamps = {
        int(stamp): name
        for name in names
        if name.startswith(f"{STATE_FILE}.backup.")
        and (stamp := name.rpartition(".")[2]).isascii()
        and stamp.isdecimal()
        and len(stamp) < 20
    }
    return [directory / stamps[stamp] for stamp in sorted(stamps, reverse=True)]


def _object(path: Path, max_bytes: int) -> tuple[dict[str, object] | None, list[str]]:
    """Return the JSON object in the file; what is none is set aside with a warning."""
    found, fault = _read(path, max_bytes)
    if fault is None:
        return found, []
    kept = set_aside(path)
    return None, [f"{fault}. It is kept as {kept}. Correct it, and put it back."]


def _read(path: Path, max_bytes: int) -> tuple[dict[str, object] | None, str | None]:
    try:
        content = read_small(path, max_bytes)
        if content is None:
            return None, None
        value = json.loads(content)
    except FileUnusable as error:
        return None, str(error)
    except (ValueError, RecursionError) as error:
        return None, f"{path} is not JSON ({str(error)[:100]})"
    if not isinstance(value, dict):
        return None, f"{path} is not a JSON object"
    return value, None
