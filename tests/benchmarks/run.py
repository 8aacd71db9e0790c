# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Run the benchmarks that are named, or all; each leaves the machine as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KNOWN = (
    "layout",
    "deploy_again",
    "drift_check",
    "follow_up_turn",
    "first_turn",
    "gateway_first_token",
    "forty_live",
    "boot_skills",
    "queue_tasks",
    "usage",
    "workdirs",
    "memory",
)


def main(names: list[str]) -> int:
    """Run each benchmark as a command of its own; return the worst exit status."""
    unknown = sorted(set(names) - set(KNOWN))
    if unknown:
        print(f'There is no benchmark "{unknown[0]}". Choose from {", ".join(KNOWN)}.')
        return 2
    worst = 0
    for name in names or KNOWN:
        print(f"\n=== {name}", flush=True)
        command = [sys.executable, str(HERE / f"{name}.py")]
        worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
