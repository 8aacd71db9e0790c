# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Kills at random points below a load of conversations: `nox -s kills`.

The test is service/tests/kills; this runs the long one and keeps what it showed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from record import ROOT, write_record

KILLS = 200


def main() -> int:
    """Kill, report and record; return the test's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--keep", help="where to keep all if something was lost")
    given = parser.parse_args()
    print(f"{given.kills} kills, seed {given.seed}", flush=True)
    with TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        options = {
            "--kills": given.kills,
            "--kills-seed": given.seed,
            "--kills-report": report,
        }
        command = [sys.executable, "-m", "pytest", "-q", "tests/kills"]
        command += [f"{name}={value}" for name, value in options.items()]
        command += [f"--kills-keep={given.keep}"] if given.keep else []
        status = subprocess.run(command, cwd=ROOT / "service", check=False).returncode
        if not report.exists():
            print("Nothing to record: the run broke off, see above.")
            return status or 1
        figures = json.loads(report.read_text(encoding="utf-8"))
    print(summary(figures, passed=status == 0))
    recoveries = figures.pop("recoveries")
    samples = {f"{name}, to the next turn": times for name, times in recoveries.items()}
    write_record("kills", samples, facts={"passed": status == 0, **figures})
    return status


def summary(figures: dict[str, Any], *, passed: bool) -> str:
    """Return the run in one line."""
    killed = ", ".join(f"{count} {name}" for name, count in figures["killed"].items())
    return (
        f"{'PASSED' if passed else 'FAILED'}: {figures['kills']} kills ({killed}) in"
        f" {figures['seconds']:.0f} s, {figures['acknowledged']} acknowledged turns,"
        f" {figures['lost']} lost, {figures['stuck']} stuck conversations,"
        f" {figures['orphans']} orphans, {figures['crashes']} crashes;"
        f" longest time without a turn {figures['longest_gap_seconds']:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
