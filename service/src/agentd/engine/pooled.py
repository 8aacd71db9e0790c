# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The engine: turns in the live clients of a pool."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agentd.engine.live import LiveClient, Turn
from agentd.engine.pool import Pool
from agentd.engine.protocol import (
    ClientWish,
    Listener,
    OutboundListener,
    TurnOutcome,
)

INTERRUPT_GRACE_SECONDS = 2.0


class PooledEngine:
    """Says each message in the live client of its conversation."""

    def __init__(
        self, pool: Pool, interrupt_grace_seconds: float = INTERRUPT_GRACE_SECONDS
    ) -> None:
        self._pool = pool
        self._grace = interrupt_grace_seconds

    async def __aenter__(self) -> PooledEngine:
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._pool.__aexit__(*details)

    def live(self, conversation_id: str) -> str | None:
        """Return the session id of the conversation's live client, or None."""
        client = self._pool.find(conversation_id)
        return None if client is None else client.wish.session_id

    def live_counts(self) -> Mapping[str, int]:
        """Return how many live clients each agent has."""
        return self._pool.counts()

    def has_room(self, agent: str, conversation_id: str) -> bool:
        """Return whether a turn would find a client, or a place to wait for one."""
        return self._pool.has_room(conversation_id)

    async def turn(
        self,
        wish: ClientWish,
        message: str,
        listener: Listener,
        *,
        timeout_seconds: float,
        message_uuid: str,
    ) -> TurnOutcome:
        """Say a message and return how the turn ended; see the protocol."""
        turn = Turn(message, wish.model, listener, message_uuid)
        client: LiveClient | None = None
        limit = asyncio.timeout(timeout_seconds)
        try:
            async with limit:
                client = await self._pool.take(wish)
                return await client.say(turn)
        except TimeoutError:
            if not limit.expired():
                raise
            await self._stop(client, turn)
            return _timed_out(turn, timeout_seconds)
        except asyncio.CancelledError:
            await self._stop(client, turn)
            raise
        finally:
            if client is not None:
                self._pool.give_back(client)

    async def close(self, conversation_id: str) -> None:
        """Close the conversation's live client if there is one."""
        client = self._pool.find(conversation_id)
        if client is not None:
            await client.close()

    def listen(self, listener: OutboundListener) -> None:
        """Give every text that is no answer to this listener from now on."""
        self._outbound = listener

    async def hand_over(self) -> int:
        """Leave every running turn to its agent's side; see the protocol."""
        return 0

    async def _stop(self, client: LiveClient | None, turn: Turn) -> None:
        if client is not None:
            await client.interrupt(turn, self._grace)
            await client.close()


def _timed_out(turn: Turn, seconds: float) -> TurnOutcome:
    return TurnOutcome(
        status="timeout",
        result=None,
        error=f"The turn did not end within {seconds:g} seconds and was interrupted.",
        model=turn.said_model,
        session_id=turn.session_id,
        last_message_uuid=turn.last_uuid,
    )
