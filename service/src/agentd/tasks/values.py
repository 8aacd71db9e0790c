# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A schedule, and how it changes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Literal

from agentd.queue.values import NewTask, Priority
from agentd.tasks.schedule import Kind, first_run, run_after

ScheduleStatus = Literal["active", "paused", "completed"]
ContextMode = Literal["isolated", "group"]


@dataclass(frozen=True)
class Schedule:
    """What is asked of an agent again and again, or once; times since 1970.

    In the context ``group`` its runs go on in its conversation, else each begins one.
    """

    id: str
    agent: str
    prompt: str
    schedule_type: Kind
    schedule_value: str
    time_zone: str
    context_mode: ContextMode
    status: ScheduleStatus
    created_at: float
    conversation_id: str | None = None
    priority: Priority = "normal"
    definition: str | None = None
    model: str | None = None
    next_run: float | None = None
    last_run: float | None = None
    last_result: str | None = None

    def due_first(self, now: float) -> float:
        """Return when it is due first; raise TaskInvalid if it never is."""
        return first_run(self.schedule_type, self.schedule_value, self.time_zone, now)

    def due_after(self, due: float, now: float) -> float | None:
        """Return when it is due after a run, or None if that was the last."""
        return run_after(
            self.schedule_type, self.schedule_value, self.time_zone, due, now
        )

    def task(self) -> NewTask:
        """Return what is queued when it is due."""
        in_group = self.context_mode == "group"
        return NewTask(
            agent=self.agent,
            prompt=self.prompt,
            priority=self.priority,
            conversation_id=self.conversation_id if in_group else None,
            schedule_id=self.id,
            definition=self.definition,
            model=self.model,
        )


@dataclass(frozen=True)
class ScheduleChange:
    """What is to be changed of a schedule; None leaves it as it is."""

    prompt: str | None = None
    schedule_type: Kind | None = None
    schedule_value: str | None = None
    time_zone: str | None = None
    context_mode: ContextMode | None = None
    conversation_id: str | None = None
    priority: Priority | None = None
    definition: str | None = None
    model: str | None = None
    status: ScheduleStatus | None = None

    @property
    def moves(self) -> bool:
        """Return whether runs may take place elsewhere than before."""
        places = (self.context_mode, self.conversation_id, self.definition)
        return any(one is not None for one in places)


def changed(schedule: Schedule, change: ScheduleChange, now: float) -> Schedule:
    """Return the schedule with the change; raise TaskInvalid if it is never due.

    With new times, or when it is resumed, what was missed before is left out.
    """
    given = {name: value for name, value in vars(change).items() if value is not None}
    after = replace(schedule, **given)
    timed = (
        after.schedule_type != schedule.schedule_type
        or after.schedule_value != schedule.schedule_value
        or after.time_zone != schedule.time_zone
    )
    if timed and schedule.status == "completed" and change.status is None:
        after = replace(after, status="active")
    resumed = after.status == "active" and schedule.status != "active"
    if timed or resumed:
        after = replace(after, next_run=after.due_first(now))
    if after.status == "completed":
        after = replace(after, next_run=None)
    return after


def new_schedule_id() -> str:
    """Return an id that no other schedule has."""
    return f"schedule-{uuid.uuid4()}"
