# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an engine does: one turn in one session, in a client that stays alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

TurnStatus = Literal["success", "timeout", "error"]
OutboundSource = Literal["tool", "background"]


@dataclass(frozen=True)
class Chunk:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True)
class Thinking:
    """A piece of what the model thought."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """A tool that the model called, with what it was given."""

    name: str
    input: Mapping[str, object]


TurnEvent = Chunk | Thinking | ToolUse
Listener = Callable[[TurnEvent], None]


@dataclass(frozen=True)
class ClientWish:
    """Which client a turn wants: an agent's session, and how its CLI is started.

    Two turns with the same wish, except for ``resume``, ``resume_at``, ``model``
    and ``definition_found``,
    are said in the same live client. ``mcp_servers_json`` is canonical JSON, so that
    equal servers are equal text; ``tools`` are the in-process tools that are offered.
    With a ``branch``, the CLI works in that branch's worktree of the repository.
    """

    agent: str
    conversation_id: str
    session_id: str
    resume: bool
    model: str | None = None
    fallback_model: str | None = None
    permission_mode: str = "bypassPermissions"
    thinking_tokens: int | None = None
    system_prompt: str | None = None
    mcp_servers_json: str | None = None
    tools: tuple[str, ...] = ()
    resume_at: str | None = None
    definition: str | None = None
    definition_found: bool = False
    repository: str | None = None
    branch: str | None = None

    def same_client(self, other: ClientWish) -> bool:
        """Return whether a client that was started for the other serves this."""
        return (
            self.agent == other.agent
            and self.session_id == other.session_id
            and self.fallback_model == other.fallback_model
            and self.permission_mode == other.permission_mode
            and self.thinking_tokens == other.thinking_tokens
            and self.system_prompt == other.system_prompt
            and self.mcp_servers_json == other.mcp_servers_json
            and self.tools == other.tools
            and self.definition == other.definition
            and self.repository == other.repository
            and self.branch == other.branch
        )


@dataclass(frozen=True)
class TurnOutcome:
    """How a turn ended, as the CLI told it: claims from an agent's container.

    ``skills`` are the names that the CLI reported when the turn began; ``stored`` is
    whether its last message is in the database, None if transcripts are not.
    """

    status: TurnStatus
    result: str | None
    error: str | None
    model: str | None
    session_id: str | None
    last_message_uuid: str | None
    skills: tuple[str, ...] | None = None
    cost_usd: float | None = None
    stored: bool | None = None


@dataclass(frozen=True)
class Outbound:
    """A text for a conversation's people that is no answer to a message.

    It comes from the tool ``send_message``, or is what the model said in a turn that
    nobody asked for, e.g. when a background task ended.
    """

    agent: str
    conversation_id: str
    text: str
    source: OutboundSource


OutboundListener = Callable[[Outbound], None]


class EngineWatch(Protocol):
    """Who is told of the live clients and of the turns that wait for one."""

    def client_started(self, agent: str, seconds: float) -> None:
        """Note that a client is ready, and how long its start took."""

    def client_ended(self, agent: str, why: str) -> None:
        """Note that a client is gone: idle, room, other_wish, asked,
        broken_off, stopped, handed_over or failed.
        """

    def waiting(self, count: int) -> None:
        """Note how many turns wait for a client now."""


class Engine(Protocol):
    """Says messages in sessions.

    Cancellation contract: a cancelled ``turn`` interrupts the CLI, closes its
    client within a bounded time and raises CancelledError again; what the CLI had
    written by then stays, and the next turn of the session resumes it.
    """

    async def __aenter__(self) -> Engine:
        """Start what the engine needs."""

    async def __aexit__(self, *details: object) -> None:
        """Close every live client."""

    def live(self, conversation_id: str) -> str | None:
        """Return the session id of the conversation's live client, or None."""

    def live_counts(self) -> Mapping[str, int]:
        """Return how many live clients each agent has."""

    def has_room(self, agent: str, conversation_id: str) -> bool:
        """Return whether a turn would find a client, or a place to wait for one."""

    def listen(self, listener: OutboundListener) -> None:
        """Give every text that is no answer to this listener from now on.

        It is called in the event loop, must not wait and must not raise.
        """

    def watch(self, watch: EngineWatch) -> None:
        """Tell this watch of clients and waiting turns from now on."""

    async def turn(
        self,
        wish: ClientWish,
        message: str,
        listener: Listener,
        *,
        timeout_seconds: float,
        message_uuid: str,
    ) -> TurnOutcome:
        """Say a message and return how the turn ended.

        ``message_uuid`` becomes the uuid of the user's line in the transcript. The
        wait for a client counts to the time. A time-out is an outcome. Raise
        SessionNotFound, SessionInUse or another CliFailed if the CLI broke off,
        AgentUnavailable or AgentLost if the agent's side is not there, EngineBusy if
        no client became free in time, with nothing said, and TurnHandedOver if the
        agent's side ends the turn alone.
        """

    async def close(self, conversation_id: str) -> None:
        """Close the conversation's live client if there is one."""

    async def hand_over(self) -> int:
        """Leave every running turn to its agent's side; return how many ran.

        The connections are dropped without an interrupt, so that each CLI ends its
        turn and writes it; the turns here raise TurnHandedOver. No turn is taken
        after it.
        """
