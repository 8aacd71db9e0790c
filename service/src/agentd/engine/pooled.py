# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The engine: turns in the live clients of a pool."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agentd.engine.live import LiveClient
from agentd.engine.pool import Pool
from agentd.engine.protocol import (
    ClientWish,
    EngineWatch,
    Listener,
    OutboundListener,
    TurnOutcome,
)
from agentd.engine.turn import Turn

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
        return self._pool.has_room(agent)

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
            return turn.out_of_time(timeout_seconds)
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
            await client.close("asked")

    def listen(self, listener: OutboundListener) -> None:
        """Give every text that is no answer to this listener from now on."""
        self._pool.listen(listener)

    def watch(self, watch: EngineWatch) -> None:
        """Tell this watch of clients and waiting turns from now on."""
        self._pool.watch(watch)

    async def hand_over(self) -> int:
        """Leave every running turn to its agent's side; see the protocol."""
        return await self._pool.hand_over()

    async def _stop(self, client: LiveClient | None, turn: Turn) -> None:
        if client is not None:
            await client.interrupt(turn, self._grace)
            await client.close("broken_off")
