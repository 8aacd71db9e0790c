# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Transcripts in the database: entries of sessions, in the order they came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from agentd.database.tables import conversations, sessions
from agentd.database.transcript_tables import transcript_entries as entries

_AT = (
    (entries.c.agent == bindparam("agent"))
    & (entries.c.session_id == bindparam("session_id"))
    & (entries.c.project_key == bindparam("project_key"))
)
_AT_FILE = _AT & (entries.c.subpath == bindparam("subpath"))
# Both kinds of databases know it in these words; SQLAlchemy has one for each.
_ADD = text(
    "INSERT INTO transcript_entries"
    " (agent, project_key, session_id, conversation_id, subpath, uuid, entry, size,"
    " stored_at) VALUES (:agent, :project_key, :session_id, :conversation_id,"
    " :subpath, :uuid, :entry, :size, :now) ON CONFLICT DO NOTHING"
)
_SIZE = select(func.coalesce(func.sum(entries.c.size), 0)).where(_AT)
_LAST = (
    select(entries.c.uuid)
    .where(_AT_FILE, entries.c.uuid.is_not(None))
    .order_by(entries.c.id.desc())
    .limit(1)
)
_HAS = select(entries.c.id).where(_AT_FILE, entries.c.uuid == bindparam("uuid"))
# Nobody goes on elsewhere before what was asked for is stored.
_HOST = (
    select(conversations.c.host)
    .where(conversations.c.id == bindparam("at_id"))
    .with_for_update(read=True)
)
_CHANGED = func.max(entries.c.stored_at)


@dataclass(frozen=True)
class Place:
    """Whose entries are meant; they go with the conversation, if one is named."""

    agent: str
    project_key: str
    session_id: str
    conversation_id: str | None = None

    def file(self, subpath: str) -> Mapping[str, str]:
        """Return what names one file of the session."""
        return {**self.session(), "subpath": subpath}

    def session(self) -> Mapping[str, str]:
        """Return what names the session."""
        return {
            "agent": self.agent,
            "project_key": self.project_key,
            "session_id": self.session_id,
        }


@dataclass(frozen=True)
class NewEntry:
    """One line of a transcript; an entry with a uuid is stored once.

    ``size`` is what it takes, with its row.
    """

    uuid: str | None
    entry: str
    size: int


@dataclass(frozen=True)
class Stored:
    """What is stored of a session: the last uuid of its own file, and all its bytes."""

    last_uuid: str | None
    size: int


def add_entries(
    connection: Connection,
    place: Place,
    subpath: str,
    new: Sequence[NewEntry],
    now: float,
) -> None:
    """Store entries after those that are there; known ones are left out."""
    at = {**place.file(subpath), "conversation_id": place.conversation_id}
    connection.execute(
        _ADD,
        [
            {**at, "uuid": one.uuid, "entry": one.entry, "size": one.size, "now": now}
            for one in new
        ],
    )


def size_of(connection: Connection, place: Place) -> int:
    """Return how many bytes a session's entries take."""
    return int(connection.execute(_SIZE, dict(place.session())).scalar_one())


def host_of(connection: Connection, conversation_id: str) -> tuple[bool, str | None]:
    """Return whether the conversation exists, and at which host it goes on.

    That stays so until the transaction ends.
    """
    row = connection.execute(_HOST, {"at_id": conversation_id}).first()
    return row is not None, None if row is None else row.host


def remove_entries(
    connection: Connection, place: Place, subpath: str | None = None
) -> None:
    """Remove the entries of a session, or of one of its files."""
    if subpath is None:
        connection.execute(delete(entries).where(_AT), dict(place.session()))
    else:
        connection.execute(delete(entries).where(_AT_FILE), dict(place.file(subpath)))


async def left_transcripts(
    connection: AsyncConnection, limit: int
) -> list[tuple[str, str]]:
    """Return agents and sessions that no conversation has; the index alone is read."""
    known = (
        select(sessions.c.session_id)
        .where(
            sessions.c.agent == entries.c.agent,
            sessions.c.session_id == entries.c.session_id,
        )
        .exists()
    )
    rows = await connection.execute(
        select(entries.c.agent, entries.c.session_id)
        .where(~known)
        .distinct()
        .limit(limit)
    )
    return [(row.agent, row.session_id) for row in rows]


def remove_old(
    connection: Connection, left: Iterable[tuple[str, str]], before: float
) -> int:
    """Remove what is older than that of those sessions; return how many entries."""
    return sum(
        connection.execute(
            delete(entries).where(
                entries.c.agent == agent,
                entries.c.session_id == session_id,
                entries.c.stored_at < before,
            )
        ).rowcount
        for agent, session_id in left
    )


async def stored(connection: AsyncConnection, place: Place) -> Stored:
    """Return what is stored of a session."""
    last = (await connection.execute(_LAST, dict(place.file("")))).scalar()
    size = (await connection.execute(_SIZE, dict(place.session()))).scalar_one()
    return Stored(last, int(size))


async def holds(connection: AsyncConnection, place: Place, uuid: str) -> bool:
    """Return whether the session's own file has an entry with that uuid."""
    given = {**place.file(""), "uuid": uuid}
    return (await connection.execute(_HAS, given)).first() is not None


async def subpaths(connection: AsyncConnection, place: Place) -> list[str]:
    """Return the files of a session beside its own."""
    rows = await connection.execute(
        select(entries.c.subpath)
        .where(_AT, entries.c.subpath != "")
        .distinct()
        .order_by(entries.c.subpath),
        dict(place.session()),
    )
    return list(rows.scalars())


async def sizes(
    connection: AsyncConnection, place: Place, subpath: str, after: int, limit: int
) -> list[tuple[int, int]]:
    """Return the number and size of the entries of a file behind a number, in order."""
    rows = await connection.execute(
        select(entries.c.id, entries.c.size)
        .where(_AT_FILE, entries.c.id > bindparam("after"))
        .order_by(entries.c.id)
        .limit(limit),
        {**place.file(subpath), "after": after},
    )
    return [(row.id, row.size) for row in rows]


async def lines(
    connection: AsyncConnection,
    place: Place,
    subpath: str,
    first: int,
    last: int,
) -> list[str]:
    """Return the entries of a file from one number to another."""
    rows = await connection.execute(
        _lines().where(entries.c.id.between(bindparam("first"), bindparam("last"))),
        {**place.file(subpath), "first": first, "last": last},
    )
    return list(rows.scalars())


async def all_lines(
    connection: AsyncConnection, place: Place, subpath: str
) -> list[str]:
    """Return every entry of a file."""
    rows = await connection.execute(_lines(), dict(place.file(subpath)))
    return list(rows.scalars())


async def projects_sessions(
    connection: AsyncConnection, agent: str, project_key: str
) -> list[tuple[str, float]]:
    """Return the sessions of a project with when they changed last."""
    rows: Iterable[Row[Any]] = await connection.execute(
        select(entries.c.session_id, _CHANGED.label("at"))
        .where(
            entries.c.agent == agent,
            entries.c.project_key == project_key,
            entries.c.subpath == "",
        )
        .group_by(entries.c.session_id)
    )
    return [(row.session_id, row.at) for row in rows]


async def stored_sizes(
    connection: AsyncConnection, agents_sessions: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return how many bytes are stored of each of these sessions, if any are."""
    wanted = set(agents_sessions)
    if not wanted:
        return {}
    rows = await connection.execute(
        select(
            entries.c.agent, entries.c.session_id, func.sum(entries.c.size).label("all")
        )
        .where(entries.c.session_id.in_({session for _agent, session in wanted}))
        .group_by(entries.c.agent, entries.c.session_id)
    )
    found = {(row.agent, row.session_id): int(row.all) for row in rows}
    return {key: size for key, size in found.items() if key in wanted}


def _lines() -> Select[Any]:
    return select(entries.c.entry).where(_AT_FILE).order_by(entries.c.id)
