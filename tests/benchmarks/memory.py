# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What each container of the running deployments takes: its whole cgroup.

Page cache that was read or written on behalf of the container counts, as it counts
against its limit. The aim is for an idle one: an agent without a live CLI.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from memory_group import MemoryGroup, group_of
from record import write_record

SAMPLES = 5
PAUSE_SECONDS = 1.0
MEBIBYTE = 1024 * 1024
AIMS_MEBIBYTES = {"control": 160, "gateway": 80, "agent": 40}


@dataclass(frozen=True)
class Container:
    """A running container of a deployment, and its memory cgroup."""

    name: str
    component: str
    group: MemoryGroup

    def clients(self) -> int:
        """Return how many CLI processes it holds; an idle agent has none."""
        names = [
            Path(f"/proc/{pid}/comm").read_text().strip()
            for pid in self.group.processes()
        ]
        return names.count("claude")


def containers() -> list[Container]:
    """Return the running containers that carry a deployment's label."""
    label = "label=agentkeep.deployment"
    ids = docker("ps", "--quiet", "--filter", label).split()
    if not ids:
        raise SystemExit("Cannot measure memory: no deployment runs. Run `make demo`.")
    found = json.loads(docker("inspect", *ids))
    return sorted(
        (
            Container(
                name=one["Name"].removeprefix("/"),
                component=one["Config"]["Labels"]["agentkeep.component"],
                group=group_of(one["State"]["Pid"]),
            )
            for one in found
        ),
        key=lambda container: container.name,
    )


def docker(*arguments: str) -> str:
    """Return what the engine's command line answers."""
    return subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True
    ).stdout


def main() -> None:
    """Measure, report and record."""
    measured = containers()
    samples: dict[str, list[float]] = {one.name: [] for one in measured}
    for _sample in range(SAMPLES):
        for one in measured:
            samples[one.name].append(one.group.whole_bytes() / MEBIBYTE)
        time.sleep(PAUSE_SECONDS)
    for one in measured:
        anonymous = one.group.anonymous_bytes() / MEBIBYTE
        clients = one.clients()
        aim = f"aim: {AIMS_MEBIBYTES[one.component]}"
        print(
            f"{one.name:34} {median(samples[one.name]):6.1f} MiB, of which"
            f" {anonymous:.1f} anonymous ({f'{clients} live CLI' if clients else aim})"
        )
    write_record("memory", samples, unit="MiB")


if __name__ == "__main__":
    main()
