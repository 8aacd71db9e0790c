# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Run the benchmarks that are named, or all that leave the machine as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HARMLESS = ("layout", "follow_up_turn", "memory")
# It removes the engine and the demo first, so it runs only when it is named.
BY_NAME = ("bare_to_first_answer",)


def main(names: list[str]) -> int:
    """Run each benchmark as a command of its own; return the worst exit status."""
    known = (*HARMLESS, *BY_NAME)
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f'There is no benchmark "{unknown[0]}". Choose from {", ".join(known)}.')
        return 2
    worst = 0
    for name in names or HARMLESS:
        print(f"\n=== {name}", flush=True)
        command = [sys.executable, str(HERE / f"{name}.py")]
        worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
