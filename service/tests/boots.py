# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The boot of an agent in a directory of the test, here or as another uid."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from agentd.agent.boot import Booted, boot
from agentd.agent.log import Log
from agentd.agent.settings import AgentSettings

AGENT_UID = 20101
BOOT = """
import json, os, sys
from agentd.agent.boot import boot
from agentd.agent.log import Log
from agentd.agent.settings import AgentSettings
from agentd.errors import AgentdError
uid = int(sys.argv[2])
if uid:
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
try:
    booted = boot(AgentSettings(**json.loads(sys.argv[1])), Log("main", "info"), {})
except AgentdError as error:
    sys.exit(str(error))
print(json.dumps({"errors": booted.errors, "warnings": booted.warnings}))
"""


def settings_in(directory: Path, **changes: object) -> AgentSettings:
    """Return the settings of an agent whose mounts are directories of the test."""
    for name in ("memory", "skill-data"):
        (directory / name).mkdir(exist_ok=True)
    values: dict[str, object] = {
        "component": "agent",
        "deployment": "demo",
        "agent": "main",
        "working_directory": str(directory / "memory"),
        "config_directory": str(directory / "memory" / ".claude"),
        "home_directory": str(directory / "memory"),
        "skill_data_directory": str(directory / "skill-data"),
        "org_directory": str(directory / "org"),
        "org_skills_directory": str(directory / "legacy-skills"),
        "built_in_skills_directory": str(directory / "built-in"),
        "managed_directory": str(directory / "claude-code"),
        "credentials_directory": str(directory / "credentials"),
    }
    return AgentSettings(**{**values, **changes})  # type: ignore[arg-type]


def booted(
    settings: AgentSettings, environment: Mapping[str, str] | None = None
) -> tuple[Booted, list[dict[str, object]]]:
    """Boot here; return what the boot found and the lines of its log."""
    stream = io.StringIO()
    result = boot(settings, Log("main", "info", stream), environment or {})
    return result, [json.loads(line) for line in stream.getvalue().splitlines()]


def boot_process(
    settings: AgentSettings, uid: int = 0, prepare: str = ""
) -> subprocess.CompletedProcess[str]:
    """Boot in a process of its own: as that uid, in mounts made by shell words."""
    boot_words = [sys.executable, "-c", BOOT, json.dumps(asdict(settings)), str(uid)]
    words = ["unshare", "--mount", "sh", "-ec", f'{prepare}\nexec "$@"', "sh"]
    return subprocess.run(
        [*(words if prepare else []), *boot_words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def tree(directory: Path) -> dict[str, object]:
    """Return what is at every path below a directory, and when it changed."""
    found: dict[str, object] = {}
    for place, directories, files in os.walk(directory):
        for name in (*directories, *files):
            path = Path(place) / name
            status = path.lstat()
            if path.is_symlink():
                what: object = ("link", os.readlink(path))
            elif path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                what = (digest, status.st_mtime_ns, status.st_ino)
            else:
                what = "directory"
            found[str(path.relative_to(directory))] = (status.st_mode, what)
    return found


def reachable(directory: Path) -> None:
    """Let another uid come to a directory of the test."""
    for place in (directory, *directory.parents[:3]):
        place.chmod(place.stat().st_mode | 0o011)


def skill(directory: Path, name: str, text: str = "do") -> None:
    """Write a skill."""
    (directory / name).mkdir(parents=True)
    (directory / name / "SKILL.md").write_text(f"---\nname: {name}\n---\n{text}\n")
