# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations in whose turn control went away, until it is known what became of it.

They are marked at start, and the mark stays until a message tells the turn's end.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from agentd.database.conversations import IDLE, RUNNING
from agentd.database.tables import conversations, messages, sessions
from agentd.sessions.identity import SessionKey

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class InterruptedTurn:
    """A turn of which the database does not hold the end.

    If ``told``, a message says already that it was broken off.
    """

    key: SessionKey
    session_id: str | None
    turn_uuid: str | None
    told: bool = False


def mark_interrupted(connection: Connection) -> list[InterruptedTurn]:
    """Mark what seems to run, and return it with what was marked at earlier starts."""
    connection.execute(
        update(conversations)
        .where(conversations.c.status == RUNNING)
        .values(status=INTERRUPTED)
    )
    rows = connection.execute(
        select(
            conversations.c.agent,
            conversations.c.id,
            sessions.c.session_id,
            messages.c.role,
            messages.c.turn_uuid,
        )
        .outerjoin(
            sessions,
            (sessions.c.conversation_id == conversations.c.id)
            & (sessions.c.agent == conversations.c.agent),
        )
        .outerjoin(
            messages,
            (messages.c.conversation_id == conversations.c.id)
            & (messages.c.position == conversations.c.message_count),
        )
        .where(conversations.c.status == INTERRUPTED)
    )
    return [
        InterruptedTurn(
            key=SessionKey(row.agent, row.id),
            session_id=row.session_id,
            turn_uuid=row.turn_uuid,
            told=row.role == "assistant",
        )
        for row in rows
    ]


def mark_settled(connection: Connection, turn: InterruptedTurn) -> None:
    """Store that nothing more will be known of the turn than was told."""
    connection.execute(
        update(conversations)
        .where(
            conversations.c.id == turn.key.conversation_id,
            conversations.c.status == INTERRUPTED,
        )
        .values(status=IDLE)
    )
