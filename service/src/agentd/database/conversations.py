# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations and their messages in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agentd.database.tables import conversations, messages, sessions

IDLE = "idle"
RUNNING = "running"
MAX_LISTED_CHARACTERS = 4_000_000


@dataclass(frozen=True)
class Conversation:
    """One conversation, and the session it has."""

    id: str
    agent: str
    status: str
    created_at: float
    last_activity: float
    message_count: int
    session_id: str | None
    durable: bool = False
    repository: str | None = None
    issue: str | None = None


@dataclass(frozen=True)
class Message:
    """One message that was said in a conversation."""

    id: str
    conversation_id: str
    role: str
    content: str
    status: str
    created_at: float
    sender: str | None = None
    sender_name: str | None = None
    turn_uuid: str | None = None
    last_message_uuid: str | None = None
    persisted: bool | None = None


async def add_conversation(
    connection: AsyncConnection, conversation_id: str, agent: str, now: float
) -> None:
    """Store a new conversation that has no messages yet."""
    await connection.execute(
        insert(conversations).values(
            id=conversation_id,
            agent=agent,
            status=IDLE,
            created_at=now,
            last_activity=now,
            message_count=0,
        )
    )


async def get_conversation(
    connection: AsyncConnection, conversation_id: str
) -> Conversation | None:
    """Return the conversation of that id, or None."""
    row = (
        await connection.execute(
            _select_conversations().where(conversations.c.id == conversation_id)
        )
    ).first()
    return None if row is None else _conversation(row)


async def list_conversations(
    connection: AsyncConnection, *, limit: int, offset: int
) -> list[Conversation]:
    """Return conversations, the latest first."""
    rows = await connection.execute(
        _select_conversations()
        .order_by(conversations.c.last_activity.desc(), conversations.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [_conversation(row) for row in rows]


async def count_conversations(connection: AsyncConnection) -> int:
    """Return how many conversations there are."""
    count = await connection.scalar(select(func.count()).select_from(conversations))
    return int(count or 0)


async def remove_conversation(connection: AsyncConnection, conversation_id: str) -> int:
    """Remove a conversation with all that belongs to it; return 1 if it was there."""
    done = await connection.execute(
        delete(conversations).where(conversations.c.id == conversation_id)
    )
    return done.rowcount


async def reset_running(connection: AsyncConnection) -> int:
    """Call every running conversation idle; return how many there were."""
    done = await connection.execute(
        update(conversations)
        .where(conversations.c.status == RUNNING)
        .values(status=IDLE)
    )
    return done.rowcount


async def add_message(
    connection: AsyncConnection, message: Message, conversation_status: str
) -> None:
    """Store a message behind those of its conversation, and whether a turn runs."""
    position = (
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == message.conversation_id)
            .values(
                message_count=conversations.c.message_count + 1,
                status=conversation_status,
                last_activity=message.created_at,
            )
            .returning(conversations.c.message_count)
        )
    ).scalar_one()
    await connection.execute(
        insert(messages).values(
            id=message.id,
            conversation_id=message.conversation_id,
            position=position,
            role=message.role,
            sender=message.sender,
            sender_name=message.sender_name,
            content=message.content,
            status=message.status,
            created_at=message.created_at,
            turn_uuid=message.turn_uuid,
            last_message_uuid=message.last_message_uuid,
            persisted=message.persisted,
        )
    )


async def list_messages(
    connection: AsyncConnection, conversation_id: str, *, limit: int, offset: int
) -> list[Message]:
    """Return the messages of a conversation in the order they were said.

    At least one if there is one, and no more when they have too many characters.
    """
    length = func.length(messages.c.content)
    page = (
        select(messages, length.label("length"))
        .where(messages.c.conversation_id == conversation_id)
        .order_by(messages.c.position)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    until = func.sum(page.c.length).over(order_by=page.c.position)
    counted = select(page, until.label("until")).subquery()
    rows = await connection.execute(
        select(counted)
        .where(counted.c.until - counted.c.length < MAX_LISTED_CHARACTERS)
        .order_by(counted.c.position)
    )
    return [
        Message(
            id=row.id,
            conversation_id=row.conversation_id,
            role=row.role,
            content=row.content,
            status=row.status,
            created_at=row.created_at,
            sender=row.sender,
            sender_name=row.sender_name,
            turn_uuid=row.turn_uuid,
            last_message_uuid=row.last_message_uuid,
            persisted=row.persisted,
        )
        for row in rows
    ]


def _select_conversations() -> Select[Any]:
    return select(conversations, sessions.c.session_id, sessions.c.durable).outerjoin(
        sessions,
        (sessions.c.conversation_id == conversations.c.id)
        & (sessions.c.agent == conversations.c.agent),
    )


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        id=row.id,
        agent=row.agent,
        status=row.status,
        created_at=row.created_at,
        last_activity=row.last_activity,
        message_count=row.message_count,
        session_id=row.session_id,
        durable=row.durable is True,
        repository=row.repository,
        issue=row.issue,
    )
