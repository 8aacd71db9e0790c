# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A task, from the moment it is accepted to its end."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal, Protocol

Priority = Literal["high", "normal", "low"]
TaskStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
RANKS: dict[Priority, int] = {"high": 0, "normal": 1, "low": 2}
ENDED: frozenset[TaskStatus] = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class NewTask:
    """What is asked of an agent.

    Without a conversation the task begins one of its own, or goes on in that of the
    repository's issue, where ``prompt_if_resumed`` is said in place of the prompt.
    ``available_at`` is when it may begin at the earliest, in seconds since 1970; None
    is at once. A task whose ``id`` is known already is not accepted a second time.
    """

    agent: str
    prompt: str
    priority: Priority = "normal"
    conversation_id: str | None = None
    schedule_id: str | None = None
    definition: str | None = None
    model: str | None = None
    timeout_seconds: float | None = None
    available_at: float | None = None
    repository: str | None = None
    issue: str | None = None
    branch: str | None = None
    prompt_if_resumed: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class Task:
    """One task as the table has it; times are seconds since 1970."""

    id: str
    number: int
    agent: str
    prompt: str
    priority: Priority
    status: TaskStatus
    attempts: int
    created_at: float
    available_at: float
    conversation_id: str | None = None
    schedule_id: str | None = None
    definition: str | None = None
    model: str | None = None
    repository: str | None = None
    issue: str | None = None
    branch: str | None = None
    prompt_if_resumed: str | None = None
    timeout_seconds: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    host: str | None = None
    worker: str | None = None
    turn_uuid: str | None = None
    cancel_requested: bool = False
    result: str | None = None
    error: str | None = None
    cost_usd: float | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class TaskEnd:
    """How a task ended.

    ``again`` asks for another attempt after so many seconds, e.g. when its
    conversation is in another turn; it counts as none, and nothing was said.
    """

    status: TaskStatus
    result: str | None = None
    error: str | None = None
    cost_usd: float | None = None
    again_seconds: float | None = None


class TaskSteps(Protocol):
    """What a runner tells while it runs a task; on disk when a call returns."""

    async def bind(self, conversation_id: str, turn_uuid: str) -> None:
        """Note in which conversation and turn the task is run, before it is said."""

    async def note(self, event: str, detail: str | None = None) -> None:
        """Add a line to the task's log."""

    def say(self, event: str, data: dict[str, object]) -> None:
        """Give an event to whoever joined the task's live output; never waits."""


class TaskRunner(Protocol):
    """Does what a task asks.

    Cancellation contract: a cancelled ``run`` ends the turn it began within a bounded
    time and raises CancelledError again.
    """

    async def run(self, task: Task, steps: TaskSteps) -> TaskEnd:
        """Run a task to its end; an error of ours that it raises fails the task."""

    async def end_of(self, task: Task) -> TaskEnd | None:
        """Return how a task ended whose worker went away, or None if nobody knows yet.

        The end ``queued`` means that it was not brought to its end and may run again.
        """


def new_task_id() -> str:
    """Return an id that no other task has."""
    return f"task-{uuid.uuid4()}"
