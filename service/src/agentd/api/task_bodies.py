# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies of requests and answers about scheduled tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agentd.api.bodies import ConversationId, Definition, Label, Message
from agentd.settings import ModelName
from agentd.settings_types import TimeZone

TaskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Prompt = Annotated[Message, StringConstraints(min_length=1)]
ScheduleType = Literal["cron", "interval", "once"]
ScheduleValue = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ContextMode = Literal["group", "isolated"]
Priority = Literal["high", "normal", "low"]
Status = Literal["active", "paused", "completed"]

VALUE = (
    "A cron expression of five fields (six with seconds first), milliseconds, or a "
    "time in ISO 8601, which is local to time_zone without an offset."
)


class NewScheduleBody(BaseModel):
    """A task for an agent, and when it is due."""

    model_config = ConfigDict(extra="forbid")

    id: TaskId | None = Field(default=None, description="A new one without.")
    prompt: Prompt = Field(description="What is said to the agent.")
    schedule_type: ScheduleType
    schedule_value: ScheduleValue = Field(description=VALUE)
    context_mode: ContextMode = Field(
        default="isolated",
        description="Whether runs go on in one conversation, or each begins one.",
    )
    conversation_id: ConversationId | None = Field(
        default=None,
        description="The conversation that it belongs to; a group begins one without.",
    )
    agent: Label | None = Field(
        default=None,
        description="The conversation's agent, or the first declared, without.",
    )
    time_zone: TimeZone | None = Field(
        default=None, description="As set for this service without."
    )
    priority: Priority = "normal"
    definition: Definition | None = Field(
        default=None, description="The definition that new conversations begin with."
    )
    model: ModelName | None = Field(default=None, description="The model for the runs.")


class ScheduleChangeBody(BaseModel):
    """What is to be changed; what is left out, or null, stays."""

    model_config = ConfigDict(extra="forbid")

    prompt: Prompt | None = None
    schedule_type: ScheduleType | None = None
    schedule_value: ScheduleValue | None = Field(default=None, description=VALUE)
    context_mode: ContextMode | None = None
    conversation_id: ConversationId | None = None
    time_zone: TimeZone | None = None
    priority: Priority | None = None
    definition: Definition | None = None
    model: ModelName | None = None
    status: Status | None = Field(
        default=None, description="paused, or active to go on with what comes next."
    )


class ScheduleBody(BaseModel):
    """A task and when it is due."""

    id: str
    conversation_id: str | None
    agent: str
    prompt: str
    schedule_type: ScheduleType
    schedule_value: str
    time_zone: str
    context_mode: ContextMode
    priority: Priority
    definition: str | None
    model: str | None
    next_run: str | None = Field(
        description="In ISO 8601; null if it is not due again."
    )
    last_run: str | None = Field(description="When a run was queued last.")
    last_result: str | None = Field(
        description="The last run's result or error, its first 10,000 characters."
    )
    status: Status
    created_at: str


class SchedulesBody(BaseModel):
    """The tasks in the order in which they were made."""

    tasks: list[ScheduleBody]
    more: bool = Field(description="Whether there are more; ask with offset.")


class TriggerBody(BaseModel):
    """The task to run now."""

    model_config = ConfigDict(extra="forbid")

    task_id: TaskId


class ExecutionBody(BaseModel):
    """How a run ended."""

    status: Literal["success", "timeout", "error"] = Field(
        description="timeout: it had not ended when this was answered, and goes on."
    )
    task_id: str
    run_id: str = Field(description="Its id in the queue.")
    conversation_id: str | None
    result: str | None
    error: str | None
    duration_ms: int
    next_run: str | None


class CheckBody(BaseModel):
    """What was due, and how the one ended that was run."""

    checked: int = Field(description="How many were due.")
    executed: ExecutionBody | None
    remaining: int
    message: str | None = None


class RunBody(BaseModel):
    """One run of a task."""

    id: str = Field(description="Its id in the queue.")
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    attempts: int
    conversation_id: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    duration_ms: int | None
    cost_usd: float | None
    result: str | None = Field(description="Its first 10,000 characters.")
    error: str | None


class RunsBody(BaseModel):
    """The runs of a task that are kept, the latest first."""

    task_id: str
    runs: list[RunBody]
    more: bool = Field(description="Whether there are more; ask with offset.")
