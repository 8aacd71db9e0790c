# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which conversations run in a definition."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agentd.database.tables import conversations

MAX_CONVERSATIONS = 10_000


async def conversations_in(connection: AsyncConnection, definition: str) -> list[str]:
    """Return the ids of the conversations in a definition, the latest first."""
    rows = await connection.execute(
        select(conversations.c.id)
        .where(conversations.c.definition == definition)
        .order_by(conversations.c.last_activity.desc())
        .limit(MAX_CONVERSATIONS)
    )
    return [row.id for row in rows]
