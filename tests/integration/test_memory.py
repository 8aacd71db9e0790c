# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an idle container takes: its whole cgroup, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Deployment, docker

MEBIBYTE = 1024 * 1024
MOST_MEBIBYTES = {"control": 160, "gateway": 80, "agent": 40}
CGROUPS = Path("/sys/fs/cgroup")


def cgroup_of(container: str) -> Path:
    """Return where the kernel counts a container's memory (cgroup v1 or v2)."""
    identity = docker("inspect", "--format={{.Id}}", container)
    places = [
        *CGROUPS.glob(f"memory/**/*{identity}*"),
        *CGROUPS.glob(f"**/*{identity}*"),
    ]
    return next(
        place
        for place in places
        if (place / "memory.usage_in_bytes").exists()
        or (place / "memory.current").exists()
    )


def memory_of(container: str) -> tuple[int, int]:
    """Return the bytes in use, and those without file pages that nobody uses."""
    place = cgroup_of(container)
    usage = place / "memory.usage_in_bytes"
    used = int((usage if usage.exists() else place / "memory.current").read_text())
    statistics = dict(
        line.split() for line in (place / "memory.stat").read_text().splitlines()
    )
    inactive = statistics.get("total_inactive_file", statistics["inactive_file"])
    return used, used - int(inactive)


def test_idle_containers_take_little_memory(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(deployment.containers())
    docker("restart", *names)
    deployment.wait_until_connected()

    taken = {name: memory_of(name) for name in names}

    with capsys.disabled():
        for name, (used, working) in taken.items():
            print(
                f"\n{name}: {used / MEBIBYTE:.1f} MiB"
                f" ({working / MEBIBYTE:.1f} without inactive file pages)",
                end="",
            )
    for name, (used, _working) in taken.items():
        component = name.removeprefix("agentkeep-integration-").split("-")[0]
        assert used <= MOST_MEBIBYTES[component] * MEBIBYTE, name
