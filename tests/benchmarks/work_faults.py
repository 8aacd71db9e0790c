# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Agents on twenty branches for ten minutes: `nox -s work_faults`.

The test is service/tests/work_faults; this runs the long one and keeps what it showed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from record import ROOT, write_record

SECONDS = 600.0


def main() -> int:
    """Run, report and record; return the test's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    given = parser.parse_args()
    print(f"{given.seconds:g} seconds, seed {given.seed}", flush=True)
    with TemporaryDirectory() as scratch:
        report = Path(scratch) / "figures.json"
        command = [sys.executable, "-m", "pytest", "-q", "tests/work_faults"]
        command += [f"--work-seconds={given.seconds}", f"--work-seed={given.seed}"]
        command += [f"--work-report={report}"]
        status = subprocess.run(command, cwd=ROOT / "service", check=False).returncode
        if not report.exists():
            print("Nothing to record: the run broke off, see above.")
            return status or 1
        figures = json.loads(report.read_text(encoding="utf-8"))
    print(json.dumps(figures, indent=2))
    samples = {"seconds in all": [figures["seconds"]]}
    write_record("work_faults", samples, facts={"passed": status == 0, **figures})
    return status


if __name__ == "__main__":
    sys.exit(main())
