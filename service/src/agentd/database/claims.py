# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whose a conversation is while a turn runs in it, where several hosts share it.

The claim is made and kept by the statements that store the turn: whoever comes second
finds no row. On a database of one host the locks in its memory are enough.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Integer, bindparam, func, or_, select, update

from agentd.database.conversations import (
    COUNT_UP,
    RUNNING,
    Message,
    add_message,
    insert_message,
)
from agentd.database.interrupted import INTERRUPTED, UNSETTLED
from agentd.database.tables import conversations
from agentd.errors import ConversationBusy, ConversationElsewhere

_MINE = conversations.c.host == bindparam("at_host")
_FREE = or_(
    conversations.c.status.not_in([RUNNING, INTERRUPTED]),
    conversations.c.host.is_(None),
    _MINE,
)
_COUNT = conversations.c.message_count
_SEEN = bindparam("seen", type_=Integer)
# Built once: to build a statement takes longer than to run it.
_BEGIN = COUNT_UP.values(host=bindparam("at_host"))
_BEGIN_SHARED = _BEGIN.where(_FREE, func.coalesce(_SEEN, _COUNT) == _COUNT)
_END_SHARED = COUNT_UP.where(_MINE)
_LOOK = (
    select(conversations.c.status, conversations.c.host)
    .where(conversations.c.id == bindparam("at_id"))
    .with_for_update()
)


@dataclass(frozen=True)
class Claim:
    """Which host uses a conversation, and how many messages it saw in it."""

    host: str
    shared: bool
    seen: int | None = None


@dataclass(frozen=True)
class Held:
    """A conversation that is held without a turn, by whom, and how it was before."""

    conversation_id: str
    status: str
    host: str | None
    by: str


def begin_turn(connection: Connection, message: Message, claim: Claim) -> None:
    """Store the message of a turn, and that the turn runs at this host.

    Raise ConversationBusy if another host has the conversation, or had it since.
    """
    given = {
        "at_id": message.conversation_id,
        "new_status": RUNNING,
        "now": message.created_at,
        "at_host": claim.host,
    }
    if not claim.shared:
        position = connection.execute(_BEGIN, given).scalar_one()
    else:
        given_and_seen = {**given, "seen": claim.seen}
        position = connection.execute(_BEGIN_SHARED, given_and_seen).scalar()
        if position is None:
            raise _busy(message.conversation_id)
    insert_message(connection, message, position)


def end_turn(
    connection: Connection, message: Message, status: str, claim: Claim
) -> None:
    """Store how a turn of this host ended.

    Raise ConversationElsewhere if the conversation went on at another host.
    """
    if not claim.shared:
        add_message(connection, message, status)
        return
    given = {
        "at_id": message.conversation_id,
        "new_status": status,
        "now": message.created_at,
        "at_host": claim.host,
    }
    position = connection.execute(_END_SHARED, given).scalar()
    if position is None:
        raise _elsewhere(message.conversation_id, claim.host)
    insert_message(connection, message, position)


def demand_mine(connection: Connection, conversation_id: str, claim: Claim) -> None:
    """Raise ConversationElsewhere if another host went on with a turn of this one."""
    if not claim.shared:
        return
    row = connection.execute(_LOOK, {"at_id": conversation_id}).first()
    if row is None or row.host != claim.host:
        raise _elsewhere(conversation_id, claim.host)


def demand_open(connection: Connection, conversation_id: str, claim: Claim) -> None:
    """Raise ConversationElsewhere if the turn of this host has its end already.

    Whoever lost its line at COMMIT stored the end, or did not, and cannot tell.
    """
    if not claim.shared:
        return
    row = connection.execute(_LOOK, {"at_id": conversation_id}).first()
    open_here = row is not None and row.status in UNSETTLED
    if row is None or not open_here or row.host != claim.host:
        raise _elsewhere(conversation_id, claim.host)


def demand_rest(connection: Connection, conversation_id: str, claim: Claim) -> None:
    """Let no other host begin a turn before this transaction ends.

    Raise ConversationBusy if one has begun.
    """
    if claim.shared:
        _look(connection, conversation_id, claim)


def hold(connection: Connection, conversation_id: str, claim: Claim) -> Held | None:
    """Let no other host begin a turn until it is given back; return None if unknown."""
    before = _look(connection, conversation_id, claim)
    if before is not None:
        connection.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(status=RUNNING, host=claim.host)
        )
    return before


def give_back(connection: Connection, held: Held) -> None:
    """End a hold; one that another host took over since is left to that host."""
    connection.execute(
        update(conversations)
        .where(
            conversations.c.id == held.conversation_id,
            conversations.c.status == RUNNING,
            conversations.c.host == held.by,
        )
        .values(status=held.status, host=held.host)
    )


def _look(connection: Connection, conversation_id: str, claim: Claim) -> Held | None:
    row = connection.execute(_LOOK, {"at_id": conversation_id}).first()
    if row is None:
        return None
    if row.status in UNSETTLED and row.host not in {None, claim.host}:
        raise _busy(conversation_id, row.host)
    return Held(conversation_id, row.status, row.host, claim.host)


def _busy(conversation_id: str, host: str | None = None) -> ConversationBusy:
    where = "another host" if host is None else f'host "{host}"'
    return ConversationBusy(
        f'Conversation "{conversation_id}" is in a turn at {where}. Wait for its '
        "answer and try again.",
        conversation_id,
    )


def _elsewhere(conversation_id: str, host: str) -> ConversationElsewhere:
    return ConversationElsewhere(
        f'Cannot store the end of a turn of conversation "{conversation_id}": host '
        f'"{host}" was lost for the others meanwhile, and they went on without it, or '
        "removed it. Look at the messages, and say it again."
    )
