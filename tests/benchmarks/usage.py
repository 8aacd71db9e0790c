# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Count 100,000 files of an agent: over HTTP, as root on the host, and with du.

Each round counts everything once, so that all see the same machine. The first count
is one of files that were just made.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from local_stack import AGENT, LocalStack, until_connected
from record import ROOT, write_record

HERE = Path(__file__).resolve().parent
ROUNDS = 7
FILES = 100_000
EACH = 25
HARD_LINKS = 1_000
AIM_SECONDS = 1.0
AIM_SHARE = 0.01
SOCKETS = "usage"

Samples = dict[str, list[float]]


def fill(memory: Path) -> None:
    """Put files, links and files of several names into an agent's memory."""
    for number in range((FILES - HARD_LINKS) // EACH):
        below = memory / "work" / f"d{number // 40}" / f"e{number}"
        below.mkdir(parents=True)
        for name in range(EACH):
            (below / f"file-{name}").write_bytes(b"x" * (name * 97))
    (memory / "linked").mkdir()
    for number in range(HARD_LINKS):
        os.link(memory / "work/d0/e0/file-3", memory / "linked" / str(number))


def options(scratch: Path) -> Path:
    """Write the options of usage_info for the same agent, and return where."""
    entry = {
        "name": "memory",
        "source": "memory",
        "scope": "agent",
        "owner": "agent",
        "mode": "0750",
        "kind": "workspace",
        "backup": "files",
        "mounts": [{"component": "agent", "target": "/data/memory", "access": "rw"}],
    }
    path = scratch / "options.json"
    content = {
        "data_root": str(scratch),
        "deployment": "bench",
        "managed": False,
        "places": {"agent": f"agent-{SOCKETS}/{{source}}"},
        "inventory": [entry],
        "agents": [{"name": AGENT, "uid": 20101}],
        "services": {"agent": {"config_directory": "/data/memory/.claude"}},
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def over_http(address: str) -> tuple[float, int, float]:
    """Return how long GET /usage took, the bytes, and the time of the count alone."""
    started = time.perf_counter()
    with urlopen(f"{address}/usage?max_age_seconds=0") as response:
        found = json.load(response)
    elapsed = time.perf_counter() - started
    agent = found["agents"][0]
    if found["problems"] or agent["problems"] or not agent["whole"]:
        raise SystemExit(f"Cannot measure: {found['problems']} {agent['problems']}")
    areas = agent["areas"]
    in_memory = areas["memory"]["bytes"] + areas["transcripts"]["bytes"]
    return elapsed, in_memory, agent["seconds"]


def on_host(given: Path) -> tuple[float, int, float]:
    """Return how long usage_info took as a process, the bytes, and its own time."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    command = [sys.executable, str(HERE / "drift_check_module.py"), "usage_info"]
    started = time.perf_counter()
    said = subprocess.run(
        [*command, str(given)], env=environment, check=False, capture_output=True
    )
    elapsed = time.perf_counter() - started
    if said.returncode != 0:
        raise SystemExit(f"Cannot measure usage_info: {said.stdout[-2000:]!r}")
    found = json.loads(said.stdout)["usage_info"]
    return elapsed, found["bytes"], found["seconds"]


def with_du(memory: Path) -> tuple[float, int]:
    """Return how long du -sb took, and what it said."""
    started = time.perf_counter()
    said = subprocess.run(
        ["du", "-sb", str(memory)], check=True, capture_output=True
    ).stdout
    return time.perf_counter() - started, int(said.split()[0])


def measure(scratch: Path, address: str, samples: Samples) -> dict[str, float]:
    """Count in each way, once and then again and again; return how far they differ."""
    memory, given = scratch / f"agent-{SOCKETS}/memory", options(scratch)
    fill(memory)
    elapsed, _size, _count = over_http(address)
    samples["GET /usage, first"].append(elapsed)
    differences: dict[str, float] = {}
    for _round in range(ROUNDS):
        seconds, yardstick = with_du(memory)
        elapsed, told, count = over_http(address)
        process, found, alone = on_host(given)
        for name, value in (
            ("du -sb", seconds),
            ("GET /usage", elapsed),
            ("of it, the agent's count", count),
            ("usage_info, the whole process", process),
            ("of it, the count", alone),
        ):
            samples[name].append(value)
        for name, size in (("GET /usage", told), ("usage_info", found)):
            off = abs(size - yardstick) / yardstick
            differences[name] = max(differences.get(name, 0.0), off)
    return differences


def main() -> None:
    """Measure, report and record."""
    samples: Samples = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="ak-", dir="/tmp") as directory:
        scratch = Path(directory)
        scratch.chmod(0o755)
        stack = LocalStack(scratch)
        with stack.running:
            sockets = stack.sockets(SOCKETS)
            address = stack.control(sockets, usage={"sample_minutes": 0})
            stack.agent_side(sockets, stack.gateway(sockets))
            asyncio.run(until_connected(address))
            differences = measure(scratch, address, samples)
    for name, values in samples.items():
        raw = " ".join(f"{value:.2f}" for value in values)
        print(f"{median(values):8.3f} s  {name:32} [{raw}]")
    for name, share in differences.items():
        print(f"{name} differs from du -sb by {share:.3%} (aim: {AIM_SHARE:.0%})")
    again = median(samples["GET /usage"])
    print(f"{FILES} files again: {again:.3f} s (aim: {AIM_SECONDS:g} s)")
    write_record("usage", samples, facts={"differs_from_du": differences})


if __name__ == "__main__":
    main()
