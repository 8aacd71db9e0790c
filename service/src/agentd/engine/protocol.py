# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an engine does: one turn in one session, in a client that stays alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

TurnStatus = Literal["success", "timeout", "error"]


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

    Two turns with the same wish, except for ``resume`` and ``model``, are said in
    the same live client.
    """

    agent: str
    conversation_id: str
    session_id: str
    resume: bool
    model: str | None = None
    fallback_model: str | None = None
    permission_mode: str = "bypassPermissions"
    thinking_tokens: int | None = None

    def same_client(self, other: ClientWish) -> bool:
        """Return whether a client that was started for the other serves this."""
        return (
            self.agent == other.agent
            and self.session_id == other.session_id
            and self.fallback_model == other.fallback_model
            and self.permission_mode == other.permission_mode
            and self.thinking_tokens == other.thinking_tokens
        )


@dataclass(frozen=True)
class TurnOutcome:
    """How a turn ended, as the CLI told it: claims from an agent's container."""

    status: TurnStatus
    result: str | None
    error: str | None
    model: str | None
    session_id: str | None
    last_message_uuid: str | None


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

    def has_room(self, conversation_id: str) -> bool:
        """Return whether a turn of the conversation would find a client now."""

    async def turn(
        self,
        wish: ClientWish,
        message: str,
        listener: Listener,
        *,
        timeout_seconds: float,
    ) -> TurnOutcome:
        """Say a message and return how the turn ended.

        A time-out is an outcome. Raise SessionNotFound, SessionInUse or another
        CliFailed if the CLI broke off, AgentUnavailable or AgentLost if the agent's
        side is not there, EngineBusy if every live client is in a turn.
        """

    async def close(self, conversation_id: str) -> None:
        """Close the conversation's live client if there is one."""
