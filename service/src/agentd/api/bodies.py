# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies of requests and answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from agentd.api.place_bodies import Branch, Issue, Repository, demand_one_place
from agentd.settings import ModelName
from agentd.spawner import mcp_servers

ConversationId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
]
MAX_EXECUTION_MS = 7 * 24 * 3600 * 1000
Label = Annotated[str, StringConstraints(max_length=256)]
Message = Annotated[str, StringConstraints(max_length=1_000_000)]
MessageUuid = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
]

# No two dots in a row; an empty one is the agent's own directory.
DEFINITION = r"^([a-z0-9](\.?[a-z0-9_-])*\.?)?$"
Definition = Annotated[str, StringConstraints(pattern=DEFINITION, max_length=64)]

STDIO_SERVER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["command"],
    "properties": {
        "type": {"const": "stdio"},
        "command": {"type": "string", "minLength": 1},
        "args": {"type": "array", "items": {"type": "string"}, "maxItems": 128},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
REMOTE_SERVER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "url"],
    "properties": {
        "type": {"enum": ["http", "sse"]},
        "url": {"type": "string", "pattern": "^https?://"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
McpServers = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": mcp_servers.MAX_SERVERS,
            "propertyNames": {"pattern": f"^{mcp_servers.SERVER_NAME.pattern}$"},
            "additionalProperties": {"anyOf": [STDIO_SERVER, REMOTE_SERVER]},
        }
    ),
]


class ChatBody(BaseModel):
    """A message for an agent."""

    model_config = ConfigDict(extra="forbid")

    message: Message = Field(description="What is said to the agent.")
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
    mcp_servers: McpServers | None = Field(
        default=None,
        description="MCP servers by name: command, args and env of a stdio server, "
        "or type (http or sse), url and headers. 32 KB at most.",
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
        description="The branch of the repository in whose worktree the conversation "
        "runs, fixed at its beginning; the agent's own directory without.",
    )
    message_if_resumed: Message | None = Field(
        default=None,
        description="Said in the place of message when the session goes on, for "
        "example only what is new.",
    )
    resume_at: MessageUuid | None = Field(
        default=None,
        description="The last message that the session should still know, by the "
        "uuid that its answer told.",
    )

    definition: Definition | None = Field(
        default=None,
        description="The definition that the conversation runs in, fixed at its "
        'beginning; the agent\'s own directory without, or with "brain".',
    )

    @field_validator("mcp_servers")
    @classmethod
    def _servers_can_be_started(
        cls, value: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        fault = None if value is None else mcp_servers.fault_of(value)
        if fault is not None:
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _names_one_conversation(self) -> ChatBody:
        demand_one_place(self)
        return self


class OutboundBody(BaseModel):
    """A message of an agent that is no answer to one."""

    id: int
    conversation_id: str
    text: str
    sender: str | None
    created_at: str = Field(description="When it was said, in ISO 8601.")


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
    outbound_messages: list[OutboundBody] = Field(
        default_factory=list,
        description="What the agent said between turns, the oldest first.",
    )
    last_message_uuid: str | None = Field(
        default=None, description="What resume_at takes to come back to this point."
    )
    cost_usd: float | None = Field(
        default=None, description="What the CLI says that the turn cost."
    )
    session_end_marker: str
    session_end_marker_detected: bool


class ConversationBody(BaseModel):
    """One conversation."""

    id: str
    conversation_id: str = Field(description="The same as id.")
    agent: str
    repository: str | None = None
    issue: str | None = None
    branch: str | None = Field(
        default=None, description="The branch in whose worktree it runs."
    )
    definition: str | None = Field(
        default=None, description="The definition that it runs in."
    )
    status: Literal["idle", "running"]
    session_id: str | None
    durable: bool = Field(
        description="Whether a turn of the session was ever found on disk."
    )
    created_at: str = Field(description="In ISO 8601.")
    last_activity: str = Field(description="In ISO 8601.")
    message_count: int
    live: bool = Field(description="Whether a live client waits for the next turn.")


class ConversationsBody(BaseModel):
    """Conversations, the latest first."""

    conversations: list[ConversationBody]


class MessageBody(BaseModel):
    """One message of a conversation."""

    id: str
    conversation_id: str
    role: Literal["user", "assistant", "system"]
    sender: str | None
    sender_name: str | None
    content: str
    status: str = Field(
        description="said of what was said to the agent; else how the turn ended."
    )
    created_at: str = Field(description="In ISO 8601.")
    persisted: bool | None = Field(
        default=None, description="Whether the turn was found on disk."
    )
    last_message_uuid: str | None = None


class MessagesBody(BaseModel):
    """The messages of a conversation, in the order they were said."""

    conversation_id: str
    messages: list[MessageBody]
    more: bool = Field(
        description="Whether more were said than are told here; ask with offset."
    )


class ErrorBody(BaseModel):
    """Why a request was refused."""

    error: str
    request_id: str | None = None
    conversation_id: str | None = Field(
        default=None, description="The conversation that is busy."
    )
    problems: list[dict[str, Any]] | None = None
