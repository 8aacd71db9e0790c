# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sessions in the database: one for each agent and conversation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from agentd.database.tables import conversations, sessions
from agentd.sessions.identity import SessionKey, StoredSession

# Under names of their own, for they are read beside other tables' columns.
SESSION_COLUMNS = tuple(column.label(f"s_{column.name}") for column in sessions.c)
CONVERSATION_COLUMNS = (
    conversations.c.repository,
    conversations.c.issue,
    conversations.c.host,
)
# Built once: to build a statement takes longer than to run it.
_AT_KEY = (sessions.c.agent == bindparam("at_agent")) & (
    sessions.c.conversation_id == bindparam("at_conversation")
)
_DELETE = delete(sessions).where(_AT_KEY)
_INSERT = insert(sessions)
_PROVED = (
    update(sessions)
    .where(_AT_KEY, sessions.c.session_id == bindparam("at_session"))
    .values(
        durable=True,
        updated_at=bindparam("now"),
        last_message_uuid=func.coalesce(
            bindparam("uuid"), sessions.c.last_message_uuid
        ),
        transcript_bytes=func.coalesce(bindparam("size"), sessions.c.transcript_bytes),
        working_directory=func.coalesce(
            bindparam("place"), sessions.c.working_directory
        ),
    )
)
_BOUND = select(sessions.c.session_id).where(
    sessions.c.agent == bindparam("at_agent"),
    sessions.c.session_id == bindparam("at_session"),
)


@dataclass(frozen=True)
class KnownSession:
    """One stored session, and whose it is."""

    agent: str
    conversation_id: str
    repository: str | None
    issue: str | None
    session: StoredSession
    updated_at: float
    host: str | None = None


async def list_sessions(
    connection: AsyncConnection,
    *,
    limit: int,
    offset: int,
    agent: str | None = None,
) -> list[KnownSession]:
    """Return the stored sessions, of one agent or of all, the latest first."""
    statement = (
        select(*SESSION_COLUMNS, *CONVERSATION_COLUMNS)
        .join(conversations, conversations.c.id == sessions.c.conversation_id)
        .order_by(sessions.c.updated_at.desc(), sessions.c.conversation_id)
        .limit(limit)
        .offset(offset)
    )
    if agent is not None:
        statement = statement.where(sessions.c.agent == agent)
    rows: Iterable[Row[Any]] = await connection.execute(statement)
    return [_known(row) for row in rows]


async def find_session(
    connection: AsyncConnection, session_id: str
) -> list[KnownSession]:
    """Return the stored sessions of that id: one at most for each agent."""
    statement = (
        select(*SESSION_COLUMNS, *CONVERSATION_COLUMNS)
        .join(conversations, conversations.c.id == sessions.c.conversation_id)
        .where(sessions.c.session_id == session_id)
        .order_by(sessions.c.agent)
    )
    rows: Iterable[Row[Any]] = await connection.execute(statement)
    return [_known(row) for row in rows]


async def session_ids(connection: AsyncConnection, agent: str) -> frozenset[str]:
    """Return the ids of all sessions of an agent, also of those never proved."""
    rows = await connection.execute(
        select(sessions.c.session_id).where(sessions.c.agent == agent)
    )
    return frozenset(rows.scalars())


def put_session(
    connection: Connection, key: SessionKey, session: StoredSession, now: float
) -> None:
    """Store the session in place of the one that was there."""
    connection.execute(_DELETE, _at(key))
    connection.execute(
        _INSERT,
        {
            "agent": key.agent,
            "conversation_id": key.conversation_id,
            "session_id": session.session_id,
            "durable": session.durable,
            "updated_at": now,
            "created_at": now if session.created_at is None else session.created_at,
            "working_directory": session.working_directory,
            "last_message_uuid": session.last_message_uuid,
            "transcript_bytes": session.transcript_bytes,
        },
    )


def mark_durable(
    connection: Connection, key: SessionKey, session: StoredSession, now: float
) -> None:
    """Store that a turn of this session was proved on disk, and what was found."""
    connection.execute(
        _PROVED,
        {
            **_at(key),
            "at_session": session.session_id,
            "now": now,
            "uuid": session.last_message_uuid,
            "size": session.transcript_bytes,
            "place": session.working_directory,
        },
    )


def drop_session(connection: Connection, key: SessionKey) -> bool:
    """Forget the session; return whether there was one. Its transcript stays."""
    return connection.execute(_DELETE, _at(key)).rowcount > 0


async def conversations_of_issue(
    connection: AsyncConnection,
    repositories: Collection[str],
    issue: str,
    agent: str | None,
) -> list[SessionKey]:
    """Return the keys of the conversations about an issue, of one agent or all."""
    wanted: list[ColumnElement[bool]] = [
        conversations.c.repository.in_(repositories),
        conversations.c.issue == issue,
    ]
    if agent is not None:
        wanted.append(conversations.c.agent == agent)
    rows = await connection.execute(
        select(conversations.c.agent, conversations.c.id).where(*wanted)
    )
    return [SessionKey(row.agent, row.id) for row in rows]


def session_is_bound(connection: Connection, agent: str, session_id: str) -> bool:
    """Return whether a conversation of this agent already has the session."""
    given = {"at_agent": agent, "at_session": session_id}
    return connection.execute(_BOUND, given).first() is not None


def stored_session(row: Row[Any]) -> StoredSession:
    """Return the session that stands in a row with SESSION_COLUMNS."""
    return StoredSession(
        session_id=row.s_session_id,
        durable=row.s_durable is True,
        created_at=row.s_created_at,
        working_directory=row.s_working_directory,
        last_message_uuid=row.s_last_message_uuid,
        transcript_bytes=row.s_transcript_bytes,
    )


def _known(row: Row[Any]) -> KnownSession:
    return KnownSession(
        agent=row.s_agent,
        conversation_id=row.s_conversation_id,
        repository=row.repository,
        issue=row.issue,
        session=stored_session(row),
        updated_at=row.s_updated_at,
        host=row.host,
    )


def _at(key: SessionKey) -> Mapping[str, str]:
    return {"at_agent": key.agent, "at_conversation": key.conversation_id}
