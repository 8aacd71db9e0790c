# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a runner tells of a task while it runs it, brought where it is kept."""

from __future__ import annotations

from agentd.database.task_logs import TaskLogLine, add_log
from agentd.database.task_runs import bind_turn
from agentd.errors import TurnHandedOver
from agentd.queue.parts import QueueParts
from agentd.queue.values import Task

MAX_NOTES = 500


class Steps:
    """The steps of one run of a task; its log is bounded."""

    def __init__(self, parts: QueueParts, task: Task) -> None:
        self._parts = parts
        self._task = task
        self._notes = 0

    async def bind(self, conversation_id: str, turn_uuid: str) -> None:
        """Note in which conversation and turn the task is run.

        Raise TurnHandedOver if the task is not this run's any more.
        """
        task = self._task
        if not await self._parts.database.do(
            lambda c: bind_turn(c, task, conversation_id, turn_uuid)
        ):
            raise TurnHandedOver(
                f'Cannot run task "{task.id}" here: it was taken over or removed '
                "while this host gave no sign of life. Look at its log."
            )

    async def note(self, event: str, detail: str | None = None) -> None:
        """Add a line to the log; beyond the bound nothing is added."""
        self._notes += 1
        if self._notes > MAX_NOTES:
            return
        line = TaskLogLine(self._parts.clock.now(), event, detail)
        if self._notes == MAX_NOTES:
            line = TaskLogLine(line.at, "log_full", f"{MAX_NOTES} lines are kept.")
        await self._parts.database.do(lambda c: add_log(c, self._task.id, line))

    def say(self, event: str, data: dict[str, object]) -> None:
        """Give an event to whoever joined the live output."""
        self._parts.output.say(self._task.id, event, data)
