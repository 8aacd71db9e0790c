# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Compare 50 agents that run with what is declared, when nothing has drifted.

The agents are containers of the base image that sleep, with the mounts of the profile
agentd. What is compared is everything: image, mounts as the engine and as the kernel
have them, owners, environment, limits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from record import ROOT, write_record

HERE = Path(__file__).resolve().parent
ROUNDS = 7
AGENTS = 50
AIM_SECONDS = 3
IMAGE = "agentkeep/base:trixie"
BEGAN = "began"
MODULE = "deployment, in check mode"
INFO = "deployment_info"
PLAY = "play with deployment_info, as a whole command"


def options(data_root: Path) -> dict[str, Any]:
    """Return the options of every module: where the state lies and whose it is."""
    profile = yaml.safe_load((ROOT / "profiles/agentd.yml").read_text("utf-8"))
    return {
        "data_root": str(data_root),
        "deployment": "bench",
        "inventory": profile["inventory"],
        "agents": [{"name": f"a{n}", "uid": 30000 + n} for n in range(AGENTS)],
        "components": {"control": {"uid": 20001}, "gateway": {"uid": 20002}},
    }


def services() -> dict[str, Any]:
    """Return the option services: agents that sleep, in a hardened container."""
    agent = {
        "image": IMAGE,
        "entrypoint": ["sleep"],
        "command": ["infinity"],
        "environment": {"HOME": "/tmp", "TMPDIR": "/tmp"},
        "networks": [],
        "init": True,
        "stop_grace_seconds": 1,
        "memory_bytes": 67108864,
        "max_tasks": 64,
        "temporary": [{"target": "/tmp", "bytes": 1048576}],
    }
    return {"services": {"agent": agent}}


def written(path: Path, content: object) -> Path:
    """Write JSON to a file and return it."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def run(command: list[str]) -> tuple[float, dict[str, Any]]:
    """Return how long a command took, and its last line if that is JSON."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_PIPELINING": "1",
        "PYTHONPATH": str(ROOT / "collections"),
    }
    started = time.perf_counter()
    finished = subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True
    )
    elapsed = time.perf_counter() - started
    if finished.returncode != 0:
        raise SystemExit(f"Cannot measure {command}:\n{finished.stdout[-3000:]}")
    last = (finished.stdout.strip().splitlines() or [""])[-1]
    return elapsed, json.loads(last) if last.startswith("{") else {}


def module(name: str, path: Path) -> list[str]:
    """Return the command that runs a module with the options in a file."""
    return [sys.executable, str(HERE / "drift_check_module.py"), name, str(path)]


def measure(scratch: Path, samples: dict[str, list[float]]) -> None:
    """Make the deployment, then compare it again and again."""
    place = options(scratch / "data")
    whole = {**place, **services()}
    run(module("state_layout", written(scratch / "layout.json", place)))
    made = written(scratch / "made.json", whole)
    samples[BEGAN].append(run(module("deployment", made))[0])
    check = written(scratch / "check.json", {**whole, "_ansible_check_mode": True})
    declared = written(scratch / "declared.json", {"declared": whole})
    playbook = str(Path(sys.executable).parent / "ansible-playbook")
    play = [playbook, str(HERE / "drift_check_plays/drift.yml"), "-e", f"@{declared}"]
    for _round in range(ROUNDS):
        elapsed, result = run(module("deployment", check))
        samples[MODULE].append(elapsed)
        if len(result["deployment"]["unchanged"]) != AGENTS:
            raise SystemExit("Cannot measure: something has drifted.")
        samples[INFO].append(run(module("deployment_info", made))[0])
        samples[PLAY].append(run(play)[0])


def main() -> None:
    """Measure, report and record."""
    if os.geteuid() != 0:
        raise SystemExit("Cannot measure: directories get owners. Run it as root.")
    samples: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="agentkeep-bench-") as directory:
        scratch = Path(directory)
        try:
            measure(scratch, samples)
        finally:
            gone = {**options(scratch / "data"), **services()}
            wiped = {"state": "absent", "wipe": True, "confirm": "bench"}
            run(module("deployment", written(scratch / "gone.json", gone | wiped)))
    print(f"{samples.pop(BEGAN)[0]:8.2f} s  to create {AGENTS} agents, once")
    for name, values in samples.items():
        raw = " ".join(f"{value:.2f}" for value in values)
        print(f"{median(values):8.2f} s  {name:46} [{raw}] (aim: {AIM_SECONDS} s)")
    write_record("drift_check", samples)


if __name__ == "__main__":
    main()
