# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Who a session belongs to, and the names of sessions and conversations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class SessionKey:
    """The agent and the conversation that a session belongs to."""

    agent: str
    conversation_id: str


@dataclass(frozen=True)
class IssueKey:
    """The agent and the issue of a repository that a conversation is about."""

    agent: str
    repository: str
    issue: str


@dataclass(frozen=True)
class StoredSession:
    """The session that a conversation has, and whether a turn was proved on disk.

    What was found at the last proof stands beside it: the uuid of the last message
    of the model, and how large the transcript was.
    """

    session_id: str
    durable: bool
    created_at: float | None = None
    working_directory: str | None = None
    last_message_uuid: str | None = None
    transcript_bytes: int | None = None


def new_conversation_id() -> str:
    """Return an id that no other conversation has."""
    return f"conv-{uuid.uuid4()}"


def new_session_id() -> str:
    """Return an id that no other session has."""
    return str(uuid.uuid4())


def new_message_id() -> str:
    """Return an id that no other message has."""
    return f"msg-{uuid.uuid4()}"


def canonical_uuid(value: object) -> str | None:
    """Return the UUID in its usual spelling, or None if the value is not one."""
    if not isinstance(value, str) or len(value) != 36:
        return None
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return None
