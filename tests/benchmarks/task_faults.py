# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Workers killed, servers restarted, lost and cut off: `nox -s task_faults`.

The test is service/tests/queue_faults; this runs the long one and keeps what it showed.
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

KILLS = 100


def main() -> int:
    """Run, report and record; return the test's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"], default="")
    given = parser.parse_args()
    print(f"{given.kills} kills each, seed {given.seed}", flush=True)
    with TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pytest", "-q", "tests/queue_faults"]
        command += [f"--faults-kills={given.kills}", f"--faults-seed={given.seed}"]
        command += [f"--faults-report={scratch}", "-k", given.only]
        status = subprocess.run(command, cwd=ROOT / "service", check=False).returncode
        found = {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(Path(scratch).glob("*.json"))
        }
    if not found:
        print("Nothing to record: the run broke off, see above.")
        return status or 1
    for name, figures in found.items():
        print(summary(name, figures))
    samples = {
        f"{name}, accepted to the end": [one["median_seconds_to_the_end"]]
        for name, one in found.items()
    }
    write_record("task_faults", samples, facts={"passed": status == 0, **found})
    return status


def summary(name: str, figures: dict[str, Any]) -> str:
    """Return one run in one line."""
    faults = ", ".join(f"{count} {what}" for what, count in figures["faults"].items())
    ends = ", ".join(f"{count} {what}" for what, count in figures["ends"].items())
    return (
        f"{name}: {faults}; {figures['accepted']} accepted tasks ({ends}),"
        f" {figures['begun_again']} begun again,"
        f" {figures['done_twice_after_a_kill']} done twice after a kill in their midst,"
        f" {figures['lost_or_twice']} lost or run twice without one"
    )


if __name__ == "__main__":
    sys.exit(main())
