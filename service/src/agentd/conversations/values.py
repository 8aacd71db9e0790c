# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is asked of a conversation, and what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentd.conversations.feed import EventFeed
from agentd.engine.protocol import TurnStatus

SESSION_END_MARKER = "[[AGENTKEEP_SESSION_END]]"


@dataclass(frozen=True)
class Ask:
    """A message for a conversation, or for a new one, and how to run its turn."""

    message: str
    conversation_id: str | None = None
    agent: str | None = None
    sender: str | None = None
    sender_name: str | None = None
    model: str | None = None
    thinking_tokens: int | None = None
    max_execution_ms: int | None = None
    repository: str | None = None
    issue: str | None = None
    message_if_resumed: str | None = None
    resume_at: str | None = None
    mcp_servers_json: str | None = None


@dataclass(frozen=True)
class Answer:
    """How a turn ended, and whether it was proved to be on disk."""

    status: TurnStatus
    conversation_id: str
    message_id: str
    agent: str
    session_id: str
    result: str | None
    error: str | None
    model: str | None
    duration_ms: int
    persisted: bool
    resumed: bool
    notice: str | None
    turn_uuid: str | None = None
    last_message_uuid: str | None = None
    outbound_messages: tuple[str, ...] = ()
    skills: tuple[str, ...] | None = None
    cost_usd: float | None = None

    @property
    def session_end_marker_detected(self) -> bool:
        """Return whether the model said that the conversation is over."""
        return self.result is not None and SESSION_END_MARKER in self.result


@dataclass(frozen=True)
class RunningTurn:
    """A turn that runs in its own task, whoever waits for it or goes away."""

    conversation_id: str
    message_id: str
    agent: str
    session_id: str
    feed: EventFeed
    answered: asyncio.Future[Answer]

    async def answer(self) -> Answer:
        """Wait for the answer; going away does not end the turn."""
        return await asyncio.shield(self.answered)
