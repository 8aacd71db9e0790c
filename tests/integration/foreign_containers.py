# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Directories and containers as NanoClaw and claude-hooks make them themselves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imitations
from modules import Declaration
from running import docker

UID = 1000
NANOCLAW = {"group": "g-1", "folder": "family", "session": "s-1"}
Mount = tuple[str, str, str]


@dataclass(frozen=True)
class Foreign:
    """One agent whose container another program makes."""

    declaration: Declaration
    container: str
    labels: tuple[str, ...]
    mounts: tuple[Mount, ...]

    def start(self, mounts: Iterable[Mount] | None = None) -> None:
        """Make its container as that program does, or with other mounts."""
        chosen = self.mounts if mounts is None else tuple(mounts)
        docker("rm", "--force", self.container)
        docker(
            *("run", "--detach", f"--name={self.container}"),
            *(f"--label={label}" for label in self.labels),
            *(f"--volume={source}:{target}:{mode}" for source, target, mode in chosen),
            "--entrypoint=/usr/bin/tini",
            *self.environment,
            *(imitations.IMITATION, "--", "sleep", "infinity"),
        )

    @property
    def environment(self) -> tuple[str, ...]:
        """Return what its program tells the container."""
        told = self.declaration.services["agent"].get("environment", {})
        return tuple(f"--env={name}={value}" for name, value in told.items())

    def without(self, *targets: str) -> list[Mount]:
        """Return its mounts but those at some targets."""
        return [one for one in self.mounts if one[1] not in targets]

    def look(self) -> set[tuple[str, str, str]]:
        """Return field, kind and subject of every way in which it differs."""
        found = self.declaration.run("deployment_info").of("deployment_info")
        (one,) = found["containers"]
        return {(why["field"], why["kind"], why["subject"]) for why in one["reasons"]}

    def remove(self) -> None:
        """Take away its container, its volumes and its directories."""
        docker("rm", "--force", self.container)
        volumes = [source for source, _target, _mode in self.mounts if source[0] != "/"]
        if volumes:
            docker("volume", "rm", *volumes)
        shutil.rmtree(self.declaration.data_root)


def directory(root: Path, below: str) -> str:
    """Make a directory of the program's own user, and all above it."""
    path = root
    root.mkdir(exist_ok=True)
    for part in Path(below).parts:
        path = path / part
        if not path.exists():
            path.mkdir(mode=0o755)
            os.chown(path, UID, UID)
    return str(path)


def file(root: Path, below: str, text: str) -> str:
    """Write a file of the program's own user."""
    path = Path(directory(root, str(Path(below).parent))) / Path(below).name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    os.chown(path, UID, UID)
    return str(path)


def declared(
    name: str, deployment: str, root: Path, agent: dict[str, Any]
) -> Declaration:
    """Return a deployment of one agent with a profile's facts."""
    found = imitations.profile(name)
    return Declaration(
        name=deployment,
        data_root=root,
        inventory=found["inventory"],
        agents=[{"uid": UID, **agent}],
        services=found["components"],
        shared={"managed": False, "places": found["places"]},
    )


def nanoclaw(root: Path) -> Foreign:
    """Return a session of NanoClaw: every mount in its order."""
    sessions, group = "data/v2-sessions/g-1", "groups/family"
    agent = "/workspace/agent"
    mounts = (
        (directory(root, f"{sessions}/s-1"), "/workspace", "rw"),
        (directory(root, group), agent, "rw"),
        (file(root, f"{group}/container.json", "{}"), f"{agent}/container.json", "ro"),
        (file(root, f"{group}/CLAUDE.md", "words"), f"{agent}/CLAUDE.md", "ro"),
        (
            directory(root, f"{group}/.claude-fragments"),
            f"{agent}/.claude-fragments",
            "ro",
        ),
        (directory(root, "groups/global"), "/workspace/global", "ro"),
        (file(root, "container/CLAUDE.md", "words"), "/app/CLAUDE.md", "ro"),
        (directory(root, f"{sessions}/.claude-shared"), "/home/node/.claude", "rw"),
        (directory(root, "container/agent-runner/src"), "/app/src", "ro"),
        (directory(root, "container/skills"), "/app/skills", "ro"),
        (directory(root, f"{sessions}/skill-data"), "/workspace/skill-data", "rw"),
    )
    return Foreign(
        declared("nanoclaw", "nano", root, {"name": "family", "names": NANOCLAW}),
        "nanoclaw-v2-family-1700000000000",
        ("nanoclaw-install=nano",),
        mounts,
    )


def claude_hooks(root: Path) -> Foreign:
    """Return an agent of claude-hooks: projects in a read-only mount."""
    config = directory(root, "agent-env/dev")
    os.chmod(config, 0o700)
    home = "/home/claude/.config/claude-code"
    mounts = (
        ("claude-hooks-test-dev-state", "/state", "rw"),
        ("claude-hooks-test-dev-home", "/home/claude", "rw"),
        (config, home, "ro"),
        (directory(root, "agent-env/dev/projects"), f"{home}/projects", "rw"),
    )
    return Foreign(
        declared(
            "claude_hooks",
            "hooks",
            root,
            {"name": "test-dev", "names": {"type": "dev"}},
        ),
        "claude-hooks-test-dev",
        (),
        mounts,
    )
