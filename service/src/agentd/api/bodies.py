# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies of requests and answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agentd.settings import ModelName

ConversationId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
]
MAX_EXECUTION_MS = 7 * 24 * 3600 * 1000
Label = Annotated[str, StringConstraints(max_length=256)]


class ChatBody(BaseModel):
    """A message for an agent."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[str, StringConstraints(max_length=1_000_000)] = Field(
        description="What is said to the agent."
    )
    conversation_id: ConversationId | None = Field(
        default=None, description="The conversation to go on in; a new one without."
    )
    agent: Label | None = Field(
        default=None, description="The agent to talk to; the first declared without."
    )
    stream: bool = Field(default=False, description="Answer as server-sent events.")
    sender: Label | None = Field(default=None, description="Who says it, as an id.")
    sender_name: Label | None = Field(default=None, description="Who says it, by name.")
    max_execution_ms: int | None = Field(
        default=None,
        gt=0,
        le=MAX_EXECUTION_MS,
        description="The turn's longest time; capped by settings.",
    )
    thinking: bool = Field(default=False, description="Let the model think, and tell.")
    max_thinking_tokens: int = Field(
        default=10_000, ge=1024, le=200_000, description="How much it may think."
    )
    show_tool_use: bool = Field(
        default=False, description="Tell which tools are called, when streaming."
    )
    model: ModelName | None = Field(
        default=None, description="The model for this and the following turns."
    )


class AnswerBody(BaseModel):
    """How a turn ended."""

    status: Literal["success", "timeout", "error"]
    conversation_id: str
    message_id: str
    agent: str
    result: str | None
    error: str | None
    model: str | None
    session_id: str
    duration_ms: int
    persisted: bool = Field(description="Whether the turn was found on disk.")
    resumed: bool = Field(description="Whether an earlier session went on.")
    notice: str | None = Field(description="What the caller should know, or null.")
    outbound_messages: list[str] = Field(default_factory=list)
    session_end_marker: str
    session_end_marker_detected: bool


class ConversationBody(BaseModel):
    """One conversation."""

    id: str
    agent: str
    status: Literal["idle", "running"]
    session_id: str | None
    durable: bool = Field(
        description="Whether a turn of the session was ever found on disk."
    )
    created_at: float
    last_activity: float
    message_count: int
    live: bool = Field(description="Whether a live client waits for the next turn.")


class ConversationsBody(BaseModel):
    """Conversations, the latest first."""

    conversations: list[ConversationBody]


class MessageBody(BaseModel):
    """One message of a conversation."""

    id: str
    role: Literal["user", "assistant"]
    sender: str | None
    sender_name: str | None
    content: str
    status: str
    created_at: float


class MessagesBody(BaseModel):
    """The messages of a conversation, in the order they were said."""

    conversation_id: str
    messages: list[MessageBody]
    more: bool = Field(
        description="Whether more were said than are told here; ask with offset."
    )


class AgentBody(BaseModel):
    """One declared agent."""

    name: str
    connected: bool
    ok: bool = Field(description="Whether its volumes could really be written.")
    errors: list[str]
    live_conversations: int


class DatabaseHealth(BaseModel):
    """The database of control."""

    ok: bool
    conversations: int
    tasks: int
    error: str | None = None


class VolumesHealth(BaseModel):
    """What could really be written; null while no agent is connected to tell."""

    memory: bool | None
    skills: bool | None
    sessions: bool | None
    store: bool


class AgentsHealth(BaseModel):
    """How many agents are declared and connected."""

    declared: int
    connected: int


class HealthBody(BaseModel):
    """Whether the service is well."""

    status: Literal["ok", "degraded"]
    version: str
    commit: str
    build_time: str
    max_execution_ms: int
    draining: bool
    database: DatabaseHealth
    volumes: VolumesHealth
    agents: AgentsHealth


class ErrorBody(BaseModel):
    """Why a request was refused."""

    error: str
    request_id: str | None = None
    problems: list[dict[str, Any]] | None = None
