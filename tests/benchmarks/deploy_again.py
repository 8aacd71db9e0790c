# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Deploy again with nothing to change, beside the same play of builtin modules.

Both deployments run two agents on this machine's engine, each below a directory of its
own. They are made once; then each round deploys both again, one after the other.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from record import ROOT, write_record

PLAYS = Path(__file__).resolve().parent / "deploy_again_plays"
ROUNDS = 7
FACTOR_AIM = 2
IMAGE = "agentkeep/agentd:0.1.0"
AGENTS = [{"name": "main", "uid": 20101}, {"name": "mail", "uid": 20102}]
HOST = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "/usr/bin/python3",
}
YARDSTICK = "file, copy, template, docker_compose_v2, uri"
OURS = "role deployment"


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def inventory(path: Path, variables: dict[str, Any]) -> Path:
    """Write an inventory of this machine with these variables."""
    hosts = {"agentkeep": {"hosts": {"this-machine": HOST}, "vars": variables}}
    path.write_text(json.dumps(hosts), encoding="utf-8")
    return path


def inventories(scratch: Path) -> dict[str, list[str]]:
    """Return the command of each of the two, by its name."""
    yardstick = {
        "deployment": "bench-yardstick",
        "data_root": str(scratch / "yardstick"),
        "api_port": free_port(),
        "image": IMAGE,
        "agents": AGENTS,
    }
    ours = {
        "deployment_name": "bench-ours",
        "deployment_data_root": str(scratch / "ours"),
        "deployment_port": free_port(),
        "deployment_agents": AGENTS,
    }
    return {
        name: [
            str(Path(sys.executable).parent / "ansible-playbook"),
            f"--inventory={inventory(scratch / f'{play}.json', variables)}",
            str(PLAYS / f"{play}.yml"),
        ]
        for name, play, variables in (
            (YARDSTICK, "yardstick", yardstick),
            (OURS, "deployment", ours),
        )
    }


def run(command: list[str]) -> tuple[float, int]:
    """Return how long a play took and how many tasks changed; end if it fails."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_NOCOLOR": "1",
    }
    started = time.perf_counter()
    finished = subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True
    )
    elapsed = time.perf_counter() - started
    if finished.returncode != 0:
        raise SystemExit(f"Cannot measure {command}:\n{finished.stdout[-3000:]}")
    return elapsed, sum(map(int, re.findall(r"changed=(\d+)", finished.stdout)))


def destroy() -> None:
    """Remove the containers and networks of both deployments."""
    for name in ("bench-yardstick", "bench-ours"):
        for listing, removal in (
            (("ps", "--all"), ("rm", "--force")),
            (("network", "ls"), ("network", "rm")),
        ):
            project = f"--filter=label=com.docker.compose.project=agentkeep-{name}"
            own = f"--filter=label=agentkeep.deployment={name}"
            for label in (project, own):
                found = docker(*listing, "--quiet", label).split()
                if found:
                    docker(*removal, *found)


def untag() -> None:
    """Remove the tags that keep the images of releases."""
    kept = docker(
        *("images", "--format={{.Repository}}:{{.Tag}}"),
        "--filter=reference=agentkeep-release/bench-ours",
    ).split()
    if kept:
        docker("rmi", *kept)


def docker(*arguments: str) -> str:
    """Return what the engine's command line prints."""
    return subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True
    ).stdout


def report(samples: dict[str, list[float]]) -> None:
    """Print medians, raw samples, and the comparison with the aim."""
    for name, values in samples.items():
        raw = " ".join(f"{value:.2f}" for value in values)
        print(f"{median(values):8.2f} s  {name:46} [{raw}]")
    factor = median(samples[YARDSTICK]) / median(samples[OURS])
    print(f"deploy again: {factor:.1f} x faster (aim: {FACTOR_AIM})")


def main() -> None:
    """Measure, report and record."""
    if os.geteuid() != 0:
        raise SystemExit("Cannot measure: directories get owners. Run it as root.")
    samples: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="agentkeep-bench-") as scratch:
        commands = inventories(Path(scratch))
        try:
            for command in commands.values():
                run(command)
            for _round in range(ROUNDS):
                for name, command in commands.items():
                    elapsed, changed = run(command)
                    samples[name].append(elapsed)
                    if changed:
                        raise SystemExit(f"Cannot measure: {name} changed something.")
        finally:
            destroy()
            untag()
    report(samples)
    write_record("deploy_again", samples)


if __name__ == "__main__":
    main()
