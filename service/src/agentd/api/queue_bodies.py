# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies of requests and answers about queued tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from agentd.api.bodies import ConversationId, Definition, Label
from agentd.api.place_bodies import Branch, Issue, Repository, demand_one_place
from agentd.api.task_bodies import Priority, Prompt
from agentd.queue.queue import MAX_TOLD
from agentd.settings import ModelName

MAX_TASK_SECONDS = 7 * 24 * 3600
LISTED = f"In a list its first {MAX_TOLD} characters."
NO_MOMENT = "Input should be a time in ISO 8601, for example 2026-03-02T09:30:00Z"
Status = Literal["queued", "running", "completed", "failed", "cancelled"]


def _is_written_out(value: object) -> object:
    # A number would be taken for seconds, or for milliseconds if it is large.
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError(NO_MOMENT)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_is_written_out)]


class NewTaskBody(BaseModel):
    """What an agent is to do, when its turn comes."""

    model_config = ConfigDict(extra="forbid")

    prompt: Prompt = Field(description="What is said to the agent.")
    agent: Label | None = Field(
        default=None,
        description="The conversation's agent, or the first declared, without.",
    )
    priority: Priority = Field(
        default="normal", description="Which tasks of the agent are begun first."
    )
    conversation_id: ConversationId | None = Field(
        default=None, description="The conversation to go on in; a new one without."
    )
    definition: Definition | None = Field(
        default=None, description="The definition that a new conversation begins with."
    )
    model: ModelName | None = Field(default=None, description="The model for the task.")
    timeout_seconds: float | None = Field(
        default=None,
        gt=0,
        le=MAX_TASK_SECONDS,
        description="Its longest time; capped by settings.",
    )
    available_at: Moment | None = Field(
        default=None, description="When it may begin at the earliest, in ISO 8601."
    )
    repository: Repository | None = Field(
        default=None,
        description="With issue: the agent's conversation of that issue, found or new.",
    )
    issue: Issue | None = Field(
        default=None, description="The issue of the repository."
    )
    branch: Branch | None = Field(
        default=None,
        description="The branch of the repository in whose worktree a new "
        "conversation runs.",
    )
    prompt_if_resumed: Prompt | None = Field(
        default=None,
        description="Said in the place of prompt when the session goes on.",
    )

    @model_validator(mode="after")
    def _names_one_conversation(self) -> NewTaskBody:
        demand_one_place(self)
        return self


class TaskBody(BaseModel):
    """One task, as the table of tasks has it."""

    id: str
    status: Status
    agent: str
    priority: Priority
    prompt: str = Field(description=LISTED)
    conversation_id: str | None
    schedule_id: str | None = Field(description="The scheduled task it is a run of.")
    repository: str | None
    issue: str | None
    branch: str | None
    prompt_if_resumed: str | None = Field(description=LISTED)
    definition: str | None
    model: str | None
    timeout_seconds: float | None
    attempts: int = Field(description="How often it was begun.")
    cancel_requested: bool
    host: str | None = Field(description="The host that took it last.")
    created_at: str = Field(description="In ISO 8601.")
    available_at: str = Field(description="When it may begin at the earliest.")
    started_at: str | None
    finished_at: str | None
    duration_ms: int | None
    cost_usd: float | None = Field(description="What the CLI says that it cost.")
    result: str | None = Field(description=LISTED)
    error: str | None = Field(description=LISTED)


class QueueBody(BaseModel):
    """Tasks, the newest first."""

    tasks: list[TaskBody]
    more: bool = Field(description="Whether there are more; ask with offset.")


class LogLineBody(BaseModel):
    """One line of a task's log."""

    at: str = Field(description="In ISO 8601.")
    event: str
    detail: str | None


class TaskLogBody(BaseModel):
    """The log of a task, the oldest line first."""

    id: str
    lines: list[LogLineBody]
    more: bool = Field(description="Whether there are more; ask with offset.")


class DeadItemBody(BaseModel):
    """Something that came through the queue and was no task."""

    at: str = Field(description="In ISO 8601.")
    source: str
    item: str
    reason: str


class DeadItemsBody(BaseModel):
    """What was no task, the newest first."""

    items: list[DeadItemBody]
    more: bool = Field(description="Whether there are more; ask with offset.")
