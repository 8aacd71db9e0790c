# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sessions in the database: one for each agent and conversation."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agentd.database.tables import sessions
from agentd.sessions.identity import SessionKey, StoredSession


async def get_session(
    connection: AsyncConnection, key: SessionKey
) -> StoredSession | None:
    """Return the session of an agent and conversation, or None."""
    row = (
        await connection.execute(
            select(sessions.c.session_id, sessions.c.durable).where(
                sessions.c.agent == key.agent,
                sessions.c.conversation_id == key.conversation_id,
            )
        )
    ).first()
    return None if row is None else StoredSession(row.session_id, row.durable)


async def put_session(
    connection: AsyncConnection, key: SessionKey, session: StoredSession, now: float
) -> None:
    """Store the session in place of the one that was there."""
    await connection.execute(
        delete(sessions).where(
            sessions.c.agent == key.agent,
            sessions.c.conversation_id == key.conversation_id,
        )
    )
    await connection.execute(
        insert(sessions).values(
            agent=key.agent,
            conversation_id=key.conversation_id,
            session_id=session.session_id,
            durable=session.durable,
            updated_at=now,
        )
    )


async def mark_durable(
    connection: AsyncConnection, key: SessionKey, session_id: str, now: float
) -> None:
    """Store that a turn of this session was proved to be on disk."""
    await connection.execute(
        update(sessions)
        .where(
            sessions.c.agent == key.agent,
            sessions.c.conversation_id == key.conversation_id,
            sessions.c.session_id == session_id,
        )
        .values(durable=True, updated_at=now)
    )


async def session_is_bound(
    connection: AsyncConnection, agent: str, session_id: str
) -> bool:
    """Return whether a conversation of this agent already has the session."""
    row = await connection.execute(
        select(sessions.c.session_id).where(
            sessions.c.agent == agent, sessions.c.session_id == session_id
        )
    )
    return row.first() is not None
