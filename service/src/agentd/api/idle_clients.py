# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Live clients that know only what was there at their start, closed between turns."""

from __future__ import annotations

from agentd.api.state import Service
from agentd.database.sessions import list_sessions
from agentd.errors import ConversationBusy

MAX_CONVERSATIONS = 10_000


async def close_idle(service: Service, agent: str) -> int:
    """Close the agent's live clients, which resume; return how many are in a turn."""
    async with service.database.read() as connection:
        known = await list_sessions(
            connection, limit=MAX_CONVERSATIONS, offset=0, agent=agent
        )
    busy = 0
    for one in known:
        if service.engine.live(one.conversation_id) is None:
            continue
        try:
            async with service.turns.resting.at_rest(one.conversation_id):
                continue
        except ConversationBusy:
            busy += 1
    return busy
