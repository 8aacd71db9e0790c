# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""E01 to E04, E12 to E14: the boot in a container of the image, as its own user."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import docker
from silent_loss_containers import IMAGE

NAME = "agentkeep-boot-test"
UID = 20301
SETTINGS = {"component": "agent", "deployment": "boot-test", "agent": "main"}
STEPS = [
    *("directories", "home_link", "settings", "org_mcp", "skills_persist"),
    *("skills_clear", "skills_sync", "memory_link", "serve"),
]


@dataclass
class Container:
    """An agent's container that no deployment made."""

    directory: Path

    def start(self, *arguments: str, memory: str | None = "rw") -> None:
        """Start it, over a memory that is mounted so, or not at all."""
        binds = [
            f"--volume={self.directory}/skill-data:/data/skill-data",
            f"--volume={self.directory}/settings:/etc/agentd:ro",
            f"--volume={self.directory}/org:/data/org:ro",
        ]
        if memory is not None:
            binds.append(f"--volume={self.directory}/memory:/data/memory:{memory}")
        docker(
            *("run", "--detach", "--network=none", "--read-only", "--cap-drop=ALL"),
            *("--security-opt=no-new-privileges", "--tmpfs=/tmp:mode=1777,size=16m"),
            *(f"--name={NAME}", f"--user={UID}:{UID}", "--env=HOME=/tmp"),
            *(*binds, *arguments, IMAGE, "agent"),
        )

    def log(self) -> str:
        """Return what it has said."""
        done = subprocess.run(
            ["docker", "logs", NAME], capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    def steps(self) -> list[str]:
        """Return the steps of its boots, in the order of its log."""
        lines = [
            json.loads(line) for line in self.log().splitlines() if line[:1] == "{"
        ]
        return [line["step"] for line in lines if line["event"] == "boot_step"]

    def until_it_serves(self, boots: int) -> None:
        """Wait until it has come to its last step that many times."""
        deadline = time.monotonic() + 30
        while self.steps().count("serve") < boots:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def tree(self) -> dict[str, object]:
        """Return every path in its memory, with owner, mode and content."""
        found: dict[str, object] = {}
        for path in (self.directory / "memory").rglob("*"):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (status.st_uid, status.st_mode, content)
        return found


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    """A container's empty directories; whatever runs over them is removed."""
    for name in ("memory", "skill-data", "settings", "org"):
        (tmp_path / name).mkdir()
    for place in (tmp_path, *tmp_path.parents[:3]):
        place.chmod(place.stat().st_mode | 0o011)
    for name in ("memory", "skill-data"):
        os.chown(tmp_path / name, UID, UID)
    (tmp_path / "settings" / "settings.json").write_text(json.dumps(SETTINGS))
    try:
        yield Container(tmp_path)
    finally:
        subprocess.run(
            ["docker", "rm", "--force", NAME], check=False, capture_output=True
        )


def test_five_boots_of_empty_volumes_end_with_status_0_and_one_tree(
    container: Container,
) -> None:
    """E01, E02, E03, E14: as the agent's user, on a read-only root."""
    container.start()
    trees = []
    for boot in range(1, 6):
        container.until_it_serves(boot)
        docker("exec", NAME, "agentd", "health")
        trees.append(container.tree())
        signal = "SIGTERM" if boot % 2 else "SIGINT"
        docker("kill", f"--signal={signal}", NAME)
        assert docker("wait", NAME).strip() == "0"
        if boot < 5:
            docker("start", NAME)

    assert container.steps() == STEPS * 5
    assert all(tree == trees[0] for tree in trees)
    owners = {value[0] for value in trees[0].values() if isinstance(value, tuple)}
    assert owners == {UID}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("read-only", "Read-only file system"),
        ("of root", "Permission denied"),
        ("not mounted", "No such file or directory"),
    ],
)
def test_a_memory_that_cannot_be_written_ends_the_container(
    container: Container, fault: str, words: str
) -> None:
    """E13: with path, uid and owner."""
    if fault == "of root":
        os.chown(container.directory / "memory", 0, 0)
    modes = {"read-only": "ro", "not mounted": None}

    container.start(memory=modes.get(fault, "rw"))

    assert docker("wait", NAME).strip() == "1"
    log = container.log()
    assert f"Cannot write to /data/memory: {words} as uid {UID}; /data" in log
    assert "belongs to" in log


def test_a_mount_at_the_home_links_place_ends_the_container(
    container: Container,
) -> None:
    """E04."""
    settings = {**SETTINGS, "home_directory": "/tmp"}
    (container.directory / "settings" / "settings.json").write_text(
        json.dumps(settings)
    )

    container.start("--tmpfs=/tmp/.claude")

    assert docker("wait", NAME).strip() == "1"
    assert (
        "/tmp/.claude to /data/memory/.claude: it is a mount point" in container.log()
    )


def test_the_image_leads_to_what_the_organisation_manages_and_lets_nobody_write(
    container: Container,
) -> None:
    """E12: nothing is copied; the CLI reads the link, as the service's tests show."""
    servers = '{"mcpServers": {}}'
    (container.directory / "org" / "managed-mcp.json").write_text(servers)
    container.start()
    container.until_it_serves(1)

    read = docker("exec", NAME, "cat", "/etc/claude-code/managed-mcp.json")
    for place in ("/etc/claude-code", "/data/org", "/opt/agentd/skills"):
        tried = subprocess.run(
            ["docker", "exec", NAME, "touch", f"{place}/managed-mcp.json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert tried.returncode == 1
        assert "cannot touch" in tried.stderr

    assert read == servers


def test_orphans_are_taken_by_the_first_process(container: Container) -> None:
    """E14."""
    container.start()
    container.until_it_serves(1)
    orphans = "for n in 1 2 3; do (sh -c 'sleep 0.1' &); done; sleep 1"
    zombies = "grep -l 'State:.Z' /proc/[0-9]*/status | wc -l"

    assert docker("exec", NAME, "sh", "-c", f"{orphans}; {zombies}") == "0"
