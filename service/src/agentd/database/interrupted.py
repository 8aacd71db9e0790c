# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations in whose turn control went away, until it is known what became of it.

They are marked at start, and the mark stays until a message tells the turn's end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, select, true, update

from agentd.database.conversations import IDLE, RUNNING
from agentd.database.hosts import Host, list_hosts
from agentd.database.tables import conversations, messages, sessions
from agentd.sessions.identity import SessionKey

INTERRUPTED = "interrupted"
UNSETTLED = frozenset({RUNNING, INTERRUPTED})


@dataclass(frozen=True)
class InterruptedTurn:
    """A turn of which the database does not hold the end.

    If ``told``, a message says already that it was broken off. ``lost_host`` is where
    it ran if that is not here.
    """

    key: SessionKey
    session_id: str | None
    turn_uuid: str | None
    told: bool = False
    lost_host: str | None = None


def mark_interrupted(
    connection: Connection, host: str | None = None
) -> list[InterruptedTurn]:
    """Mark what seems to run, and return it with what was marked at earlier starts.

    With a host, only what ran there; without one, all.
    """
    mine: ColumnElement[bool] = true()
    values = {"status": INTERRUPTED}
    if host is not None:
        # What no host has is from before there were several.
        mine = (conversations.c.host == host) | conversations.c.host.is_(None)
        values["host"] = host
    connection.execute(
        update(conversations)
        .where(conversations.c.status.in_(UNSETTLED), mine)
        .values(**values)
    )
    return _interrupted(connection, mine)


def take_over(
    connection: Connection, host: str, lost: Iterable[Host], agents: Iterable[str]
) -> list[InterruptedTurn]:
    """Make the turns of lost hosts this host's, and return them.

    Only those of agents that this host has; what another host takes first is its. A
    host that gave a sign of life since it was seen as told keeps what it has.
    """
    silent = {one.name: one for one in lost}
    stale = (
        select(conversations.c.id, conversations.c.host)
        .where(
            conversations.c.status.in_(UNSETTLED),
            conversations.c.host.in_(list(silent)),
            conversations.c.agent.in_(list(agents)),
        )
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(stale).all()
    # Behind the lock: a host that is back was seen before it begins a turn.
    known = list_hosts(connection) if found else {}
    was = {
        row.id: row.host
        for row in found
        if known.get(row.host, silent[row.host]) == silent[row.host]
    }
    if not was:
        return []
    mine = conversations.c.id.in_(list(was))
    connection.execute(
        update(conversations).where(mine).values(status=INTERRUPTED, host=host)
    )
    turns = _interrupted(connection, mine)
    return [replace(one, lost_host=was[one.key.conversation_id]) for one in turns]


def running_at(connection: Connection, host: str) -> set[str]:
    """Return the conversations of which a turn is said to run at a host."""
    rows = connection.execute(
        select(conversations.c.id).where(
            conversations.c.status == RUNNING, conversations.c.host == host
        )
    )
    return {str(row.id) for row in rows}


def mark_stray(
    connection: Connection, host: str, conversation_id: str
) -> list[InterruptedTurn]:
    """Mark a turn that no one runs at this host, and return it if there is one."""
    mine = (conversations.c.id == conversation_id) & (conversations.c.host == host)
    connection.execute(
        update(conversations)
        .where(mine, conversations.c.status == RUNNING)
        .values(status=INTERRUPTED)
    )
    return _interrupted(connection, mine)


def _interrupted(
    connection: Connection, which: ColumnElement[bool]
) -> list[InterruptedTurn]:
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
        .where(conversations.c.status == INTERRUPTED, which)
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
