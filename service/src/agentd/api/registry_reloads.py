# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""After a change: agents sync their skills, idle clients that knew the old close."""

from __future__ import annotations

from agentd.api.admin import reload_agents
from agentd.api.state import Service
from agentd.database.definitions import conversations_in
from agentd.definitions.values import AGENTS, Kind
from agentd.errors import AgentdError, ConversationBusy


async def told_of_change(
    service: Service, kind: Kind, name: str, reload: bool
) -> dict[str, str | None]:
    """Let who uses it have the change; return what hindered it, by agent.

    A live client knows what it started with: those that are idle are closed, so that
    the next turn of their conversation resumes with the change.
    """
    if kind is AGENTS:
        await _close_idle(service, name)
        return {}
    if not reload:
        return {}
    told = await reload_agents(service, None)
    return {
        agent: str(one) if isinstance(one, AgentdError) else None
        for agent, one in told.items()
    }


async def _close_idle(service: Service, definition: str) -> None:
    async with service.database.read() as connection:
        known = await conversations_in(connection, definition)
    for conversation_id in known:
        if service.engine.live(conversation_id) is None:
            continue
        try:
            async with service.turns.at_rest(conversation_id):
                continue
        except ConversationBusy:
            # It has the change when its client is started the next time.
            continue
