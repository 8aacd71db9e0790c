# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Lay out 1,000 agents with 8 directories each, beside a loop of the file module.

The yardstick makes 200 directories; its time for 8,000 is what one directory took,
times 8,000, plus the time of a play that does nothing. Each round runs everything once,
so that yardstick and product see the same machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from record import ROOT, write_record

HERE = Path(__file__).resolve().parent
PLAYS = HERE / "layout_plays"
ROUNDS = 5
AGENTS = 1000
BELOW = ("skills", "conversations", ".claude", "a", "b", "c", "d")
EACH = 1 + len(BELOW)
YARDSTICK_DIRECTORIES = 200
FACTOR_AIM = 200
MODULE_AIM_SECONDS = 2
MEMORY_AIM_BYTES = 100_000_000
KIBIBYTE = 1024

Samples = dict[str, list[float]]


def options(data_root: Path) -> dict[str, Any]:
    """Return the options of state_layout for every agent."""
    entry = {
        "name": "memory",
        "scope": "agent",
        "source": "memory",
        "owner": "agent",
        "mode": "0750",
        "kind": "workspace",
        "backup": "files",
        "directories": list(BELOW),
    }
    return {
        "data_root": str(data_root),
        "deployment": "bench",
        "inventory": [entry],
        "agents": [{"name": f"a{n}", "uid": 30000 + n} for n in range(AGENTS)],
        "components": {"control": {"uid": 20001}, "gateway": {"uid": 20002}},
    }


def directories(root: Path) -> list[dict[str, Any]]:
    """Return the yardstick's directories, parents first."""
    found = [
        {"path": str(root / f"a{agent}" / below).rstrip("/."), "uid": 30000 + agent}
        for agent in range(YARDSTICK_DIRECTORIES // EACH)
        for below in ("", *BELOW)
    ]
    root.mkdir(parents=True)
    return found


def environment() -> dict[str, str]:
    """Return the environment in which Ansible and Python find the collection."""
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "PYTHONPATH": str(ROOT / "collections"),
    }


def seconds(command: list[str]) -> float:
    """Return how long a command took; end if it fails."""
    started = time.perf_counter()
    finished = subprocess.run(
        command, env=environment(), check=False, capture_output=True, text=True
    )
    elapsed = time.perf_counter() - started
    if finished.returncode != 0:
        raise SystemExit(f"Cannot measure {command}:\n{finished.stdout[-2000:]}")
    return elapsed


def peak_bytes(command: list[str]) -> float:
    """Return the most memory that a command held at once; end if it fails."""
    started = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    _process, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode != 0:
        raise SystemExit(f"Cannot measure {command}.")
    return used.ru_maxrss * KIBIBYTE


def play(name: str, variables: Path | None = None) -> float:
    """Return how long a play took, as a whole command."""
    command = ["ansible-playbook", str(PLAYS / f"{name}.yml")]
    return seconds(command + (["-e", f"@{variables}"] if variables else []))


def written(path: Path, content: object) -> Path:
    """Write JSON to a file and return it."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def mkdir_alone(root: Path) -> float:
    """Return how long the kernel takes to make the directories: the floor."""
    started = time.perf_counter()
    root.mkdir()
    for agent in range(AGENTS):
        (root / f"a{agent}").mkdir()
        for below in ("", *BELOW):
            (root / f"a{agent}" / "memory" / below).mkdir()
    return time.perf_counter() - started


def measure_round(scratch: Path, samples: Samples, memory: Samples) -> None:
    """Run everything once, first on an empty disk and then again."""
    loop = written(scratch / "loop.json", {"directories": directories(scratch / "y")})
    ours = written(scratch / "ours.json", options(scratch / "play"))
    alone = written(scratch / "alone.json", options(scratch / "module"))
    module = [sys.executable, str(HERE / "layout_module.py"), str(alone)]
    samples["play that does nothing"].append(play("nothing"))
    samples["mkdir alone"].append(mkdir_alone(scratch / "floor"))
    for run in ("first run", "second run"):
        samples[f"file loop, 200 directories, {run}"].append(play("yardstick", loop))
        samples[f"state_layout play, {run}"].append(play("state_layout", ours))
        samples[f"state_layout module, {run}"].append(seconds(module))
    fresh = written(scratch / "fresh.json", options(scratch / "fresh"))
    for run in ("first run", "second run"):
        again = [*module[:2], str(fresh)]
        memory[f"state_layout module, {run}"].append(peak_bytes(again))


def report(samples: Samples) -> None:
    """Print medians, raw samples, and the comparison with the aims."""
    for name, values in samples.items():
        raw = " ".join(f"{value:.2f}" for value in values)
        print(f"{median(values):8.2f} s  {name:42} [{raw}]")
    empty = median(samples["play that does nothing"])
    for run in ("first run", "second run"):
        loop = median(samples[f"file loop, 200 directories, {run}"])
        one = (loop - empty) / YARDSTICK_DIRECTORIES
        whole = empty + one * AGENTS * EACH
        ours = median(samples[f"state_layout play, {run}"])
        module = median(samples[f"state_layout module, {run}"])
        print(
            f"{run}: {one:.3f} s a directory, {whole:.0f} s for {AGENTS * EACH}; "
            f"state_layout {ours:.2f} s, {whole / ours:.0f} x faster "
            f"(aim: {FACTOR_AIM}); module alone {module:.2f} s "
            f"(aim: {MODULE_AIM_SECONDS} s)"
        )


def main() -> None:
    """Measure, report and record."""
    if os.geteuid() != 0:
        raise SystemExit("Cannot measure: directories get owners. Run it as root.")
    samples: Samples = defaultdict(list)
    memory: Samples = defaultdict(list)
    for number in range(ROUNDS):
        scratch = Path(tempfile.mkdtemp(prefix="agentkeep-bench-"))
        try:
            measure_round(scratch, samples, memory)
        finally:
            shutil.rmtree(scratch)
        print(f"round {number + 1} of {ROUNDS} done", flush=True)
    report(samples)
    for name, values in memory.items():
        print(
            f"{median(values) / 1e6:8.1f} MB {name}, peak "
            f"(aim: {MEMORY_AIM_BYTES / 1e6:.0f} MB)"
        )
    write_record("layout", samples)
    write_record("layout_memory", memory, unit="bytes")


if __name__ == "__main__":
    main()
