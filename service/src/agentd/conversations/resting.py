# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations that are held without a turn: looked after, forgotten or removed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from agentd.conversations.clearing import drop, remove, rest
from agentd.conversations.locks import Locks
from agentd.conversations.parts import TurnParts
from agentd.conversations.prepare import Preparation, unknown
from agentd.conversations.recovery import Recovery
from agentd.database.claims import demand_rest
from agentd.database.conversations import get_conversation
from agentd.database.sessions import conversations_of_issue
from agentd.database.writer import Transaction
from agentd.sessions.identity import SessionKey


class Resting:
    """Holds conversations; whoever would begin a turn meanwhile is refused."""

    def __init__(
        self,
        parts: TurnParts,
        locks: Locks,
        recovery: Recovery,
        preparation: Preparation,
    ) -> None:
        self._parts = parts
        self._locks = locks
        self._recovery = recovery
        self._preparation = preparation

    async def remove(self, conversation_id: str) -> None:
        """Remove a conversation; raise ConversationUnknown or ConversationBusy."""
        async with self._held([conversation_id]):
            removed = await remove(self._parts, conversation_id)
            self._recovery.forget(conversation_id)
        if not removed:
            raise unknown(conversation_id)

    @asynccontextmanager
    async def at_rest(self, conversation_id: str) -> AsyncIterator[None]:
        """Hold a conversation without a turn and without a live client.

        Raise ConversationBusy while a turn runs in it.
        """
        async with self._held([conversation_id]):
            await self._parts.engine.close(conversation_id)
            async with rest(self._parts, conversation_id):
                yield

    @asynccontextmanager
    async def all_closed(self, keys: Iterable[SessionKey]) -> AsyncIterator[None]:
        """Hold conversations here, none of them with a live client of this host.

        Raise ConversationBusy, with none held, while a turn runs in one of them.
        """
        ids = [key.conversation_id for key in keys]
        async with self._held(ids):
            for conversation_id in ids:
                await self._parts.engine.close(conversation_id)
            yield

    async def demand_rest(self, keys: Iterable[SessionKey]) -> None:
        """Raise ConversationBusy while another host has a turn in one of them."""
        ids = [key.conversation_id for key in keys]
        claim = self._parts.claim()

        def look(connection: Transaction) -> None:
            for conversation_id in ids:
                demand_rest(connection, conversation_id, claim)

        if self._parts.database.shared and ids:
            await self._parts.database.do(look)

    async def drop_held(self, keys: Iterable[SessionKey]) -> int:
        """Forget the sessions of conversations that are held; return how many."""
        return sum([await drop(self._parts, key) for key in keys])

    async def drop_session(self, conversation_id: str) -> bool:
        """Forget the session of a conversation; return whether it had one.

        The next message begins a new session; the transcript stays. Raise
        ConversationUnknown or ConversationBusy.
        """
        async with self._parts.database.read() as connection:
            found = await get_conversation(connection, conversation_id)
        if found is None:
            raise unknown(conversation_id)
        return await self._drop([SessionKey(found.agent, found.id)]) > 0

    async def drop(
        self, repositories: Collection[str], issue: str, agent: str | None = None
    ) -> int:
        """Forget the sessions about an issue, of one agent or of all.

        Return how many there were. Raise ConversationBusy, with none forgotten,
        while one of them is in a turn.
        """
        async with self._parts.database.read() as connection:
            keys = await conversations_of_issue(connection, repositories, issue, agent)
        return await self._drop(keys)

    async def _drop(self, keys: list[SessionKey]) -> int:
        async with self._held([key.conversation_id for key in keys]):
            return await self.drop_held(keys)

    @asynccontextmanager
    async def _held(self, ids: list[str]) -> AsyncIterator[None]:
        held: list[str] = []
        try:
            for conversation_id in ids:
                what = f'Conversation "{conversation_id}"'
                self._locks.take(conversation_id, what, conversation_id=conversation_id)
                held.append(conversation_id)
            for conversation_id in ids:
                await self._recovery.settle(conversation_id)
            yield
        finally:
            for conversation_id in held:
                self._preparation.forget(conversation_id)
                self._locks.release(conversation_id)
