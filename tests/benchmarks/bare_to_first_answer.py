# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""`make clean`, then `make demo` twice: how long until the first turn is answered.

It removes what demo and test made on this machine, the engine and .venv included. So it
runs by itself, with a Python that lies elsewhere.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from record import write_record

ROOT = Path(__file__).resolve().parents[2]
STEP = re.compile(r"^(?:==> |PLAY \[|TASK \[)(.*?)\]?[ *]*$")
FIRST_TURN = "Say the word to each agent"
FIRST_AIM_SECONDS = 180
AGAIN_AIM_SECONDS = 40
SHOWN_SECONDS = 1.0


@dataclass
class Run:
    """One `make demo`, with the time at which each of its steps began."""

    seconds: float = 0.0
    steps: list[tuple[float, str]] = field(default_factory=list)

    def durations(self) -> Iterator[tuple[str, float]]:
        """Yield each step and how long it took."""
        ends = [*(start for start, _name in self.steps[1:]), self.seconds]
        for (start, name), end in zip(self.steps, ends, strict=True):
            yield name, end - start

    def first_answer(self) -> float:
        """Return the seconds until the first turn had been answered."""
        elapsed = 0.0
        for name, duration in self.durations():
            elapsed += duration
            if name.endswith(FIRST_TURN):
                return elapsed
        raise SystemExit(f'Cannot measure: the demo has no step "{FIRST_TURN}".')


def demo() -> Run:
    """Run the demo, show what it prints, and note when its steps began."""
    run = Run()
    started = time.perf_counter()
    # Ansible names a task when it begins only if it also shows those that it skips.
    environment = {**os.environ, "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"}
    with subprocess.Popen(
        ["make", "demo"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if match := STEP.match(line.rstrip()):
                run.steps.append((time.perf_counter() - started, match[1]))
    run.seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise SystemExit("Cannot measure: make demo failed, see above.")
    return run


def main() -> None:
    """Measure, report and record."""
    if Path(sys.prefix).is_relative_to(ROOT):
        raise SystemExit(
            f'Cannot measure with "{sys.executable}": make clean removes it. Run this'
            " with a Python that lies elsewhere."
        )
    subprocess.run(["make", "clean"], cwd=ROOT, check=True)
    bare = demo()
    again = demo()
    print("\nSteps of the first run that took longest:")
    for name, seconds in sorted(bare.durations(), key=lambda step: -step[1]):
        if seconds >= SHOWN_SECONDS:
            print(f"{seconds:7.1f} s  {name}")
    first = bare.first_answer()
    print(f"bare machine to first answer {first:.1f} s (aim: {FIRST_AIM_SECONDS} s)")
    print(f"whole first make demo {bare.seconds:.1f} s, with its proof")
    print(f"second make demo {again.seconds:.1f} s (aim: {AGAIN_AIM_SECONDS} s)")
    write_record(
        "bare_to_first_answer",
        {
            "first answer": [first],
            "first make demo": [bare.seconds],
            "second make demo": [again.seconds],
        },
    )


if __name__ == "__main__":
    main()
