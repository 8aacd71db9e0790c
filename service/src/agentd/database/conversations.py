# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations and their messages in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from agentd.database.sessions import SESSION_COLUMNS, stored_session
from agentd.database.tables import conversations, messages, sessions
from agentd.sessions.identity import IssueKey, SessionKey, StoredSession

IDLE = "idle"
RUNNING = "running"
MAX_LISTED_CHARACTERS = 4_000_000

# Built once: to build a statement takes longer than to run it.
COUNT_UP = (
    update(conversations)
    .where(conversations.c.id == bindparam("at_id"))
    .values(
        message_count=conversations.c.message_count + 1,
        status=bindparam("new_status"),
        last_activity=bindparam("now"),
    )
    .returning(conversations.c.message_count)
)
_INSERT_MESSAGE = insert(messages)


@dataclass(frozen=True)
class Conversation:
    """One conversation, and the session it has."""

    id: str
    agent: str
    status: str
    created_at: float
    last_activity: float
    message_count: int
    session: StoredSession | None
    repository: str | None = None
    issue: str | None = None
    definition: str | None = None
    host: str | None = None
    branch: str | None = None

    @property
    def session_id(self) -> str | None:
        """Return the id of its session, or None."""
        return None if self.session is None else self.session.session_id

    @property
    def durable(self) -> bool:
        """Return whether a turn of its session was proved to be on disk."""
        return self.session is not None and self.session.durable


@dataclass(frozen=True)
class About:
    """What a conversation is about and where its turns run: kept as it began."""

    repository: str | None = None
    issue: str | None = None
    branch: str | None = None
    definition: str | None = None


NOTHING = About()


@dataclass(frozen=True)
class Message:
    """One message that was said in a conversation.

    ``turn_uuid`` is the uuid of the user's line in the transcript, for the message
    and for its answer; ``last_message_uuid`` that of the answer's last line.
    """

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


def add_conversation(
    connection: Connection,
    key: SessionKey,
    now: float,
    about: About = NOTHING,
) -> None:
    """Store a new conversation that has no messages yet."""
    connection.execute(
        insert(conversations).values(
            id=key.conversation_id,
            agent=key.agent,
            status=IDLE,
            created_at=now,
            last_activity=now,
            message_count=0,
            repository=about.repository,
            issue=about.issue,
            branch=about.branch,
            definition=about.definition,
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


async def get_conversation_of_issue(
    connection: AsyncConnection, key: IssueKey
) -> Conversation | None:
    """Return the agent's conversation about the issue, or None."""
    row = (
        await connection.execute(
            _select_conversations().where(
                conversations.c.agent == key.agent,
                conversations.c.repository == key.repository,
                conversations.c.issue == key.issue,
            )
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


def remove_conversation(connection: Connection, conversation_id: str) -> bool:
    """Remove a conversation with all that belongs to it; return if it was there."""
    done = connection.execute(
        delete(conversations).where(conversations.c.id == conversation_id)
    )
    return done.rowcount > 0


def add_message(
    connection: Connection, message: Message, conversation_status: str
) -> None:
    """Store a message behind those of its conversation, and whether a turn runs."""
    position = connection.execute(
        COUNT_UP,
        {
            "at_id": message.conversation_id,
            "new_status": conversation_status,
            "now": message.created_at,
        },
    ).scalar_one()
    insert_message(connection, message, position)


def insert_message(connection: Connection, message: Message, position: int) -> None:
    """Store a message at a position that its conversation counted."""
    connection.execute(
        _INSERT_MESSAGE,
        {
            "id": message.id,
            "conversation_id": message.conversation_id,
            "position": position,
            "role": message.role,
            "sender": message.sender,
            "sender_name": message.sender_name,
            "content": message.content,
            "status": message.status,
            "created_at": message.created_at,
            "turn_uuid": message.turn_uuid,
            "last_message_uuid": message.last_message_uuid,
            "persisted": message.persisted,
        },
    )


def change_content(connection: Connection, message_id: str, content: str) -> None:
    """Store that something else was said in place of a message."""
    connection.execute(
        update(messages).where(messages.c.id == message_id).values(content=content)
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
    return select(conversations, *SESSION_COLUMNS).outerjoin(
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
        session=None if row.s_session_id is None else stored_session(row),
        repository=row.repository,
        issue=row.issue,
        definition=row.definition,
        host=row.host,
        branch=row.branch,
    )
