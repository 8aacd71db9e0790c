# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Texts for a conversation's people that are no answer, until they are delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from agentd.database.tables import conversations, outbound_messages

MAX_UNDELIVERED = 100
MAX_DELIVERED = 400
MAX_DELIVERED_CHARACTERS = 500_000


@dataclass(frozen=True)
class OutboundMessage:
    """One text, and whether a tool or a turn that nobody asked for said it."""

    conversation_id: str
    text: str
    source: str
    created_at: float
    id: int | None = None


def add_outbound(connection: Connection, message: OutboundMessage) -> bool:
    """Store a text; return False if its conversation is gone or has too many."""
    known = connection.scalar(
        select(conversations.c.id).where(conversations.c.id == message.conversation_id)
    )
    waiting = connection.scalar(
        select(func.count())
        .select_from(outbound_messages)
        .where(
            outbound_messages.c.conversation_id == message.conversation_id,
            outbound_messages.c.delivered_at.is_(None),
        )
    )
    if known is None or int(waiting or 0) >= MAX_UNDELIVERED:
        return False
    connection.execute(
        insert(outbound_messages).values(
            conversation_id=message.conversation_id,
            text=message.text,
            source=message.source,
            created_at=message.created_at,
        )
    )
    _forget_delivered(connection, message.conversation_id)
    return True


def deliver_outbound(
    connection: Connection, conversation_id: str, now: float
) -> tuple[tuple[OutboundMessage, ...], bool]:
    """Return the texts to deliver, the oldest first, and whether some are left.

    What is too much for one answer comes with the next.
    """
    rows = connection.execute(
        select(outbound_messages)
        .where(
            outbound_messages.c.conversation_id == conversation_id,
            outbound_messages.c.delivered_at.is_(None),
        )
        .order_by(outbound_messages.c.id)
    ).all()
    taken: list[Any] = []
    characters = 0
    for row in rows:
        characters += len(row.text)
        if taken and characters > MAX_DELIVERED_CHARACTERS:
            break
        taken.append(row)
    connection.execute(
        update(outbound_messages)
        .where(outbound_messages.c.id.in_([row.id for row in taken]))
        .values(delivered_at=now)
    )
    texts = tuple(
        OutboundMessage(
            conversation_id=row.conversation_id,
            text=row.text,
            source=row.source,
            created_at=row.created_at,
            id=row.id,
        )
        for row in taken
    )
    return texts, len(taken) < len(rows)


def undelivered_conversations(connection: Connection) -> set[str]:
    """Return the conversations for which texts wait."""
    rows = connection.execute(
        select(outbound_messages.c.conversation_id)
        .where(outbound_messages.c.delivered_at.is_(None))
        .distinct()
    )
    return set(rows.scalars())


def drop_outbound(connection: Connection, before: float) -> int:
    """Remove the texts that were delivered before; return how many.

    What no answer carried stays, however old: nobody has read it yet.
    """
    return connection.execute(
        delete(outbound_messages).where(
            # The second says it all; the first has an index.
            outbound_messages.c.created_at < before,
            outbound_messages.c.delivered_at < before,
        )
    ).rowcount


def _forget_delivered(connection: Connection, conversation_id: str) -> None:
    """Keep the latest of what was delivered: an agent must not fill the disk."""
    too_old = (
        select(outbound_messages.c.id)
        .where(
            outbound_messages.c.conversation_id == conversation_id,
            outbound_messages.c.delivered_at.is_not(None),
        )
        .order_by(outbound_messages.c.id.desc())
        .offset(MAX_DELIVERED)
    )
    connection.execute(
        delete(outbound_messages).where(outbound_messages.c.id.in_(too_old))
    )
