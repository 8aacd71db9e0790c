# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is asked of a conversation, and what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentd.conversations.feed import EventFeed
from agentd.database.outbound import OutboundMessage
from agentd.engine.protocol import TurnStatus
from agentd.sessions.identity import IssueKey

SESSION_END_MARKER = "[[AGENTKEEP_SESSION_END]]"
CLEAR = "/clear"


@dataclass(frozen=True)
class Ask:
    """A message for a conversation, or for a new one, and how to run its turn.

    The conversation is named by its id or by a repository's issue. If its session
    is resumed, ``message_if_resumed`` is said in place of the message. With a
    ``branch`` its turns run in the worktree of that branch of the repository. An empty
    ``definition`` demands the agent's own directory, none at all whatever there is.
    Who has to know its turn before it begins names it with ``turn_uuid``, and the
    conversation with ``new_conversation_id`` if it begins one; ``timeout_seconds`` is
    in the place of the longest time that the settings give to a turn.
    """

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
    branch: str | None = None
    message_if_resumed: str | None = None
    resume_at: str | None = None
    mcp_servers_json: str | None = None
    definition: str | None = None
    turn_uuid: str | None = None
    new_conversation_id: str | None = None
    timeout_seconds: float | None = None

    @property
    def clears(self) -> bool:
        """Return whether the session is to be forgotten and nothing said."""
        return self.message.strip() == CLEAR

    def issue_of(self, agent: str) -> IssueKey | None:
        """Return the issue that the conversation with the agent is about, if any."""
        if self.repository is None or self.issue is None:
            return None
        return IssueKey(agent, self.repository, self.issue)

    def to_say(self, resumes: bool) -> str:
        """Return what is said to a session that is resumed, or to a new one."""
        if resumes and (self.message_if_resumed or "").strip():
            return self.message_if_resumed or ""
        return self.message


@dataclass(frozen=True)
class Answer:
    """How a turn ended, and whether it was proved to be on disk.

    If it was ``lost``, its agent's side went away and may bring it to its end alone.
    """

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
    outbound_messages: tuple[OutboundMessage, ...] = ()
    skills: tuple[str, ...] | None = None
    cost_usd: float | None = None
    lost: bool = False
    session_end_marker: str = SESSION_END_MARKER

    @property
    def unproved(self) -> bool:
        """Return whether a turn that went well was not found on disk."""
        return self.status == "success" and not self.persisted

    @property
    def session_end_marker_detected(self) -> bool:
        """Return whether the model said that the conversation is over."""
        said = [self.result or "", *(one.text for one in self.outbound_messages)]
        return any(self.session_end_marker in text for text in said)


@dataclass(frozen=True)
class RunningTurn:
    """A turn that runs in its own task, whoever waits for it or goes away.

    ``begun`` is done once its message is stored, or fails with why it is not.
    """

    conversation_id: str
    message_id: str
    agent: str
    session_id: str
    turn_uuid: str
    feed: EventFeed
    begun: asyncio.Future[None]
    answered: asyncio.Future[Answer]
    session_end_marker: str = SESSION_END_MARKER

    async def answer(self) -> Answer:
        """Wait for the answer; going away does not end the turn."""
        return await asyncio.shield(self.answered)
