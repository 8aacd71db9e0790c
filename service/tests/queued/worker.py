# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A worker as a process of its own, which may be killed: ``worker.py <JSON>``.

Its runner does nothing but write each begin and each end of a run into a file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SERVICE = Path(__file__).parents[2]


@dataclass
class WorkerProcess:
    """One worker that is started, killed and started again."""

    directory: Path
    url: str
    settings: Mapping[str, Any]
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        name = str(self.settings.get("host", "main"))
        self.log = self.directory / f"{name}.runs"

    def start(self) -> None:
        """Start it and wait until it takes tasks."""
        self.log.touch()
        ready = self.log.with_suffix(".ready")
        ready.unlink(missing_ok=True)
        words = {"url": self.url, "log": str(self.log), "settings": self.settings}
        with self.log.with_suffix(".log").open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, __file__, json.dumps({**words, "ready": str(ready)})],
                env={
                    **os.environ,
                    "PYTHONPATH": f"{SERVICE / 'src'}:{SERVICE / 'tests'}",
                },
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        end_at = time.monotonic() + 30
        while not ready.exists():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end_at, self.said()
            time.sleep(0.02)

    def said(self) -> str:
        """Return what it logged."""
        return self.log.with_suffix(".log").read_text()

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it and wait for that."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    def runs(self) -> list[tuple[str, str, int]]:
        """Return what it ran: ("begin" or "end", the task's id, the attempt)."""
        found = []
        for line in self.log.read_text().splitlines():
            word, task_id, attempt = line.split()
            found.append((word, task_id, int(attempt)))
        return found


async def _main(words: Mapping[str, Any]) -> None:
    from agentd.queue.values import Task, TaskEnd, TaskSteps
    from queued.running_queue import ScriptedRunner, Start, running_queue

    log = os.open(words["log"], os.O_WRONLY | os.O_APPEND)

    class WritingRunner(ScriptedRunner):
        async def run(self, task: Task, steps: TaskSteps) -> TaskEnd:
            os.write(log, f"begin {task.id} {task.attempts}\n".encode())
            end = await super().run(task, steps)
            os.write(log, f"end {task.id} {task.attempts}\n".encode())
            return end

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    start = Start(runner=WritingRunner(), settings=words["settings"])
    async with running_queue(words["url"], start) as running:
        Path(words["ready"]).touch()
        await stop.wait()
        await running.queue.drain(10)


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
