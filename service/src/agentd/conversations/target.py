# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The conversation that a turn is asked of, and the client that it wants."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.conversations.definitions import Looked
from agentd.conversations.values import Ask
from agentd.database.conversations import About, Conversation
from agentd.engine.protocol import ClientWish
from agentd.sessions.choose import Choice
from agentd.sessions.identity import SessionKey, StoredSession
from agentd.settings import AgentEntry
from agentd.work.values import Tree


@dataclass(frozen=True)
class Known:
    """What the database holds of a conversation, as it was stored last."""

    agent: str
    session: StoredSession | None
    definition: str | None = None
    last: Conversation | None = None
    tree: Tree | None = None


@dataclass(frozen=True)
class Target:
    """The conversation that is meant, which may be a new one.

    ``last`` is what was read of it just now: always, if other hosts may change it.
    """

    key: SessionKey
    agent: AgentEntry
    stored: StoredSession | None
    is_new: bool
    definition: str | None = None
    last: Conversation | None = None
    tree: Tree | None = None


def about_of(ask: Ask, target: Target) -> About:
    """Return what a new conversation is about."""
    return About(
        repository=ask.repository if target.tree or ask.issue else None,
        issue=ask.issue if ask.repository else None,
        branch=None if target.tree is None else target.tree.branch,
        definition=target.definition,
    )


def wish_of(target: Target, choice: Choice, ask: Ask, looked: Looked) -> ClientWish:
    """Return which client the turn wants."""
    agent = target.agent
    return ClientWish(
        agent=agent.name,
        conversation_id=target.key.conversation_id,
        session_id=choice.session_id,
        resume=choice.resume,
        model=ask.model or agent.model,
        fallback_model=agent.fallback_model,
        permission_mode=agent.permission_mode,
        thinking_tokens=ask.thinking_tokens,
        system_prompt=agent.system_prompt,
        mcp_servers_json=ask.mcp_servers_json,
        tools=tuple(agent.tools),
        resume_at=ask.resume_at if choice.resume else None,
        definition=target.definition,
        definition_found=looked.found,
        repository=None if target.tree is None else str(target.tree.repository),
        branch=None if target.tree is None else target.tree.branch,
    )
