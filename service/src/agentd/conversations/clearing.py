# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sessions and conversations that are held still or forgotten on demand.

Transcripts stay on disk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from agentd.conversations.parts import TurnParts
from agentd.conversations.target import Target, about_of
from agentd.conversations.values import Answer, Ask, RunningTurn
from agentd.database.claims import demand_rest, give_back, hold
from agentd.database.conversations import (
    IDLE,
    Message,
    add_conversation,
    add_message,
    remove_conversation,
)
from agentd.database.sessions import drop_session, put_session
from agentd.database.writer import Transaction
from agentd.sessions.identity import SessionKey, StoredSession, new_message_id

CLEARED = (
    "The session of this conversation is forgotten: the next message begins a new "
    "one, which does not remember what was said. The transcript stays on disk."
)


async def clear(
    parts: TurnParts, target: Target, ask: Ask, turn: RunningTurn, fresh: StoredSession
) -> None:
    """Put a new session in place of the old one and answer that it was done."""
    await parts.engine.close(target.key.conversation_id)
    now = parts.clock.now()
    answer = _answer(turn)

    def store(connection: Transaction) -> None:
        if target.is_new:
            add_conversation(connection, target.key, now, about_of(ask, target))
        demand_rest(connection, target.key.conversation_id, parts.claim())
        put_session(connection, target.key, fresh, now)
        for message in _messages(ask, answer, now):
            add_message(connection, message, IDLE)

    await parts.database.do(store)
    turn.begun.set_result(None)
    turn.answered.set_result(answer)
    turn.feed.end()


async def drop(parts: TurnParts, key: SessionKey) -> bool:
    """Forget the session of a conversation; return whether it had one."""
    await parts.engine.close(key.conversation_id)

    def forget(connection: Transaction) -> bool:
        demand_rest(connection, key.conversation_id, parts.claim())
        return drop_session(connection, key)

    return await parts.database.do(forget)


async def remove(parts: TurnParts, conversation_id: str) -> bool:
    """Remove a conversation; return whether it was there."""
    await parts.engine.close(conversation_id)

    def forget(connection: Transaction) -> bool:
        demand_rest(connection, conversation_id, parts.claim())
        return remove_conversation(connection, conversation_id)

    return await parts.database.do(forget)


@asynccontextmanager
async def rest(parts: TurnParts, conversation_id: str) -> AsyncIterator[None]:
    """Let no other host begin a turn; raise ConversationBusy if one has begun."""
    held = None
    if parts.database.shared:
        claim = parts.claim()
        held = await parts.database.do(lambda c: hold(c, conversation_id, claim))
    try:
        yield
    finally:
        if held is not None:
            await parts.database.do(partial(give_back, held=held))


def _answer(turn: RunningTurn) -> Answer:
    return Answer(
        status="success",
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        agent=turn.agent,
        session_id=turn.session_id,
        result=CLEARED,
        error=None,
        model=None,
        duration_ms=0,
        persisted=True,
        resumed=False,
        notice=CLEARED,
        session_end_marker=turn.session_end_marker,
    )


def _messages(ask: Ask, answer: Answer, now: float) -> tuple[Message, Message]:
    said = Message(
        id=new_message_id(),
        conversation_id=answer.conversation_id,
        role="user",
        content=ask.message,
        status="said",
        created_at=now,
        sender=ask.sender,
        sender_name=ask.sender_name,
    )
    done = Message(
        id=answer.message_id,
        conversation_id=answer.conversation_id,
        role="assistant",
        content=CLEARED,
        status="cleared",
        created_at=now,
    )
    return said, done
