# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The tasks that run in this process, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agentd.errors import AgentdError, DatabaseFailed, Draining, TurnHandedOver
from agentd.log import get_log
from agentd.queue.parts import QueueParts
from agentd.queue.steps import Steps
from agentd.queue.values import Task, TaskEnd

# A task that came while this process stops is for the next one, or for another host.
STOPPING_SECONDS = 1.0
CANCELLED = "It was cancelled."
CANCEL_SECONDS = 1.0

log = get_log("queue")


@dataclass
class Run:
    """One task that runs, and whether somebody wants it to stop."""

    task: Task
    work: asyncio.Task[None] | None = None
    begun: bool = False
    cancelled: bool = False
    broken_off: bool = False

    def stop(self) -> None:
        """Have it stop; one that did not begin yet sees it when it does."""
        # What is cancelled before its first step never tells that it ended.
        if self.work is not None and self.begun:
            self.work.cancel()


class Workers:
    """Runs tasks to their end, their time limit or their cancellation."""

    def __init__(
        self,
        parts: QueueParts,
        tasks: asyncio.TaskGroup,
        ended: Callable[[Task, TaskEnd | None], None],
    ) -> None:
        self._parts = parts
        self._tasks = tasks
        self._ended = ended
        self._runs: dict[str, Run] = {}
        self.quiet = asyncio.Event()
        self.quiet.set()

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._runs

    def begin(self, task: Task) -> None:
        """Run a task that was claimed."""
        now = self._parts.clock.now()
        self._parts.watch.task_started(task, max(0.0, now - task.available_at))
        run = Run(task)
        self._runs[task.id] = run
        self.quiet.clear()
        run.work = self._tasks.create_task(self._run(run), name=f"task {task.id}")

    def cancel(self, task_id: str) -> bool:
        """Have a task stop that runs here; return whether it does."""
        run = self._runs.get(task_id)
        if run is None or run.work is None:
            return False
        if not run.cancelled:
            run.cancelled = True
            run.stop()
        return True

    def break_off(self) -> None:
        """End what runs without an end: another host may have taken it."""
        for run in self._runs.values():
            if not (run.cancelled or run.broken_off):
                run.broken_off = True
                run.stop()

    async def stop(self) -> None:
        """Break off what runs, without an end: the next start looks after it."""
        works = [run.work for run in self._runs.values() if run.work is not None]
        for work in works:
            work.cancel()
        if works:
            await asyncio.wait(works)

    async def _run(self, run: Run) -> None:
        end: TaskEnd | None = None
        run.begun = True
        try:
            if run.cancelled or run.broken_off:
                raise asyncio.CancelledError
            end = await self._end_of(run)
        except asyncio.CancelledError:
            if run.cancelled:
                end = TaskEnd("cancelled", error=CANCELLED)
            elif not run.broken_off:
                raise
        finally:
            del self._runs[run.task.id]
            self._ended(run.task, end)
            if not self._runs:
                self.quiet.set()

    async def _end_of(self, run: Run) -> TaskEnd | None:
        """Run the task; return None if its end is not known."""
        task = run.task
        try:
            return await self._in_time(task)
        except Draining:
            return TaskEnd("queued", again_seconds=STOPPING_SECONDS)
        except (TurnHandedOver, DatabaseFailed) as error:
            # Its turn may have ended all the same: whoever looks later is told.
            log.warning("task_end_unknown", task=task.id, error=str(error))
            return None
        except AgentdError as error:
            return TaskEnd("failed", error=str(error))
        except Exception as error:
            return self._broken(task, error)

    async def _in_time(self, task: Task) -> TaskEnd | None:
        most = self._parts.settings.task_timeout_seconds
        seconds = min(task.timeout_seconds or most, most)
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                end = await self._parts.runner.run(task, Steps(self._parts, task))
        except TimeoutError:
            if not deadline.expired():
                raise
            return TaskEnd(
                "failed", error=f"It took longer than {seconds:g} s and was ended."
            )
        return None if end.status == "running" else end

    def _broken(self, task: Task, error: Exception) -> TaskEnd:
        log.error("task_broke", task=task.id, exc_info=error)
        return TaskEnd(
            "failed", error=f"An error of control: {type(error).__name__}. See its log."
        )


async def end_all(works: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: what connects just now may miss the first time."""
    left = set(works)
    while left:
        for work in left:
            work.cancel()
        _ended, left = await asyncio.wait(left, timeout=CANCEL_SECONDS)
