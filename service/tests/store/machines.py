# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Hosts that share a database: each with a control, agent sides and a disk."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Stack
from control.service import ControlProcess

LOST_SECONDS = 2.0
RECALL = "Which words did I ask you to remember?"
SKILL = "---\nname: mine\ndescription: Of the user.\n---\nAnswer with care.\n"


@dataclass
class Machine:
    """One host."""

    stack: Stack
    control: ControlProcess

    def kill_control(self) -> None:
        """End control as a power cut would."""
        process = self.control.process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()

    def transcripts(self) -> list[Path]:
        """Return the sessions' own transcripts on this host's disk."""
        return list((self.stack.memory() / ".claude/projects").glob("*/*.jsonl"))


@contextmanager
def machine(
    directory: Path, name: str, database_url: str, **settings: Any
) -> Iterator[Machine]:
    """Run a host on a disk that holds a user's skill and nothing else."""
    stack = Stack(directory / name, ("main",))
    (stack.sockets_directory / "main").mkdir(parents=True)
    (stack.directory / "main" / "skill-data").mkdir(parents=True)
    skill = stack.memory() / "skills" / "mine"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text(SKILL)
    values = {
        "database_url": database_url,
        "host": name,
        "worker_lost_seconds": LOST_SECONDS,
        **settings,
    }
    with ExitStack() as exits:
        exits.callback(stack.stop)
        stack.start_gateway()
        stack.start_side()
        control = ControlProcess(stack, settings=values)
        # Also if it does not start in time.
        exits.push(control.__exit__)
        control.start()
        yield Machine(stack, control)
