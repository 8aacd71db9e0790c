# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations that are said to be in a turn here, and are not.

The line to a shared database may go just when a turn's beginning, or the end of a
hold, is stored: then the row tells of a turn that nobody runs, and every other host
would wait for its end for ever.
"""

from __future__ import annotations

import asyncio

from agentd.conversations.locks import Locks
from agentd.conversations.parts import TurnParts
from agentd.conversations.recovery import Recovery
from agentd.database.interrupted import mark_stray, running_at
from agentd.errors import ConversationBusy, DatabaseFailed
from agentd.log import get_log

LOOK_SECONDS = 5.0

log = get_log("recovery")


class Strays:
    """Looks for them: what nobody holds here, twice in a row, is recovered."""

    def __init__(self, parts: TurnParts, locks: Locks, recovery: Recovery) -> None:
        self._parts = parts
        self._locks = locks
        self._recovery = recovery

    async def run(self) -> None:
        """Look until cancelled; alone, a start finds all there is."""
        seen: set[str] = set()
        while self._parts.database.shared:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                found = await self._look()
                for conversation_id in found & seen:
                    await self._recover(conversation_id)
                seen = found
            except DatabaseFailed as error:
                log.warning("stray_turns_not_found", error=str(error))

    async def _look(self) -> set[str]:
        me = self._parts.host.name
        async with self._parts.database.read() as connection:
            found = await connection.run_sync(running_at, me)
        return {one for one in found if not self._locks.holds(one)}

    async def _recover(self, conversation_id: str) -> None:
        try:
            # So that no turn of ours begins meanwhile.
            self._locks.take(conversation_id, f'Conversation "{conversation_id}"')
        except ConversationBusy:
            return
        me = self._parts.host.name
        try:
            turns = await self._parts.database.do(
                lambda connection: mark_stray(connection, me, conversation_id)
            )
        finally:
            self._locks.release(conversation_id)
        log.warning("stray_turn", conversation=conversation_id, count=len(turns))
        self._recovery.add(turns)
