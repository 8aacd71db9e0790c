# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The agent's own directories: made at boot, probed by really writing to them."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from agentd.agent.settings import AgentSettings


def prepare(settings: AgentSettings) -> list[str]:
    """Make what the CLI needs below the mounted directories; return what failed."""
    errors = []
    config = Path(settings.config_directory)
    for directory in (config, config / "projects", config / "skills"):
        try:
            directory.mkdir(mode=0o750, exist_ok=True)
        except OSError as error:
            errors.append(_sentence("make the directory", directory, error))
    try:
        _write_cli_settings(config / "settings.json", settings.cleanup_period_days)
    except (OSError, ValueError) as error:
        errors.append(_sentence("keep the CLI's settings in", config, error))
    return errors


def _write_cli_settings(path: Path, cleanup_period_days: int) -> None:
    try:
        present = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        present = {}
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error})") from error
    if not isinstance(present, dict):
        raise ValueError(f"{path} is not a JSON object")
    if _days(present.get("cleanupPeriodDays")) >= cleanup_period_days:
        return
    wanted = {**present, "cleanupPeriodDays": cleanup_period_days}
    _replace(path, json.dumps(wanted, indent=2).encode() + b"\n")


def _days(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside its place, make it durable, and rename it there."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(beside, flags, 0o640)
    try:
        os.write(file, content)
        os.fsync(file)
        os.rename(beside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)
        raise
    finally:
        os.close(file)


def probe(settings: AgentSettings) -> dict[str, object]:
    """Write, make durable, rename and remove a file in each; return what went well."""
    places = {
        "memory": Path(settings.working_directory),
        "sessions": Path(settings.config_directory) / "projects",
        "skill_data": Path(settings.skill_data_directory),
    }
    volumes: dict[str, bool] = {}
    errors = []
    for name, directory in places.items():
        try:
            _probe_directory(directory)
            volumes[name] = True
        except OSError as error:
            volumes[name] = False
            errors.append(_sentence("write to", directory, error))
    return {"ok": not errors, "volumes": volumes, "errors": errors}


def _probe_directory(directory: Path) -> None:
    path = directory / ".agentd-probe"
    _replace(path, b"probe\n")
    path.unlink()


def _sentence(deed: str, path: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return (
        f"Cannot {deed} {path}: {reason} as uid {os.geteuid()}; {_owner(path)}. "
        "Lay out the deployment's state again with repair, or mount it writable."
    )


def _owner(path: Path) -> str:
    for place in (path, *path.parents):
        try:
            status = place.stat()
        except OSError:
            continue
        mode = status.st_mode & 0o7777
        return f"{place} belongs to {status.st_uid}:{status.st_gid}, mode {mode:04o}"
    return "nothing of that path can be seen"
