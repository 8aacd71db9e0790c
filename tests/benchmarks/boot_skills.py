# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An agent side's whole boot with 500 skills: nothing changed, and everything new.

From the start of its process to the step that serves, so the interpreter and all
other steps are in the figure. The yardstick is what a shell at boot would do: remove
every skill and copy them all anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from local_stack import free_port
from record import write_record

SAMPLES = 9
TIERS = {"org": 100, "built-in": 350, "memory/skills": 50}
FILES = {"SKILL.md": 2_000, "reference/guide.md": 8_000, "scripts/run.py": 1_000}
BOOT_SECONDS = 30.0
AIMS = {"boot, 500 skills, unchanged": "aim: 1 s"}


@dataclass(frozen=True)
class Agent:
    """The directories of an agent side that is booted again and again."""

    root: Path

    @property
    def copies(self) -> Path:
        """Where the CLI looks for skills."""
        return self.root / "memory" / ".claude" / "skills"

    def lay_out(self, skills: bool) -> None:
        """Make its directories, with the skills or with none."""
        for tier, count in TIERS.items():
            (self.root / tier).mkdir(parents=True)
            for number in range(count if skills else 0):
                name = f"{tier.replace('/', '-')}-{number}"
                for file, size in FILES.items():
                    path = self.root / tier / name / file
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(name.encode().ljust(size, b"."))
        (self.root / "skill-data").mkdir()
        memory = self.root / "memory"
        settings = {
            "component": "agent",
            "deployment": "bench",
            "agent": "main",
            "control_socket": str(self.root / "control.sock"),
            "gateway_socket": str(self.root / "gateway.sock"),
            "working_directory": str(memory),
            "config_directory": str(memory / ".claude"),
            "home_directory": str(memory),
            "skill_data_directory": str(self.root / "skill-data"),
            "org_directory": str(self.root / "no-organisation"),
            "org_skills_directory": str(self.root / "org"),
            "built_in_skills_directory": str(self.root / "built-in"),
            "relay_port": free_port(),
        }
        (self.root / "settings.json").write_text(json.dumps(settings))

    def boot(self) -> float:
        """Start it, stop it when it serves; return how long that start took."""
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "agentd", "agent"],
            env={
                "PATH": os.environ["PATH"],
                "AGENTD_SETTINGS": str(self.root / "settings.json"),
                "TMPDIR": str(self.root),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if b'"step": "serve"' in line or b'"step":"serve"' in line:
                    break
            taken = time.perf_counter() - began
            process.terminate()
            process.communicate(timeout=BOOT_SECONDS)
        if process.returncode != 0:
            raise SystemExit("Cannot measure: the agent side did not boot.")
        return taken

    def forget(self) -> None:
        """Remove what a boot made: the next one is the first."""
        shutil.rmtree(self.root / "memory" / ".claude")

    def copy_all_anew(self) -> float:
        """Do in a shell what clears and copies; return how long it took."""
        sources = " ".join(f"{self.root / tier}/." for tier in reversed(TIERS))
        script = f"rm -rf {self.copies}-2; mkdir -p {self.copies}-2"
        for source in sources.split():
            script += f"; cp -a {source} {self.copies}-2/"
        began = time.perf_counter()
        subprocess.run(["sh", "-c", script], check=True)
        return time.perf_counter() - began


def main() -> None:
    """Measure, report and record."""
    samples: dict[str, list[float]] = {
        "boot, no skill": [],
        "boot, 500 skills, unchanged": [],
        "boot, 500 skills, all new": [],
        "a shell that clears and copies 500 skills": [],
    }
    with tempfile.TemporaryDirectory(prefix="ak-skills-") as directory:
        none, many = Agent(Path(directory) / "none"), Agent(Path(directory) / "many")
        none.lay_out(skills=False)
        many.lay_out(skills=True)
        none.boot()
        many.boot()
        for _sample in range(SAMPLES):
            taken = (none.boot(), many.boot(), many.copy_all_anew())
            many.forget()
            measured = (*taken[:2], many.boot(), taken[2])
            for name, value in zip(samples, measured, strict=True):
                samples[name].append(value)
        if len(os.listdir(many.copies)) != sum(TIERS.values()):
            raise SystemExit("Cannot measure: not every skill was synced.")
    for name, values in samples.items():
        print(f"{name:44} {median(values) * 1000:7.1f} ms  {AIMS.get(name, '')}")
    write_record("boot_skills", samples)


if __name__ == "__main__":
    main()
