# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The live clients: one for each active conversation, bounded, idle ones closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agentd.engine.client import ClientFactory
from agentd.engine.live import LiveClient
from agentd.engine.protocol import ClientWish
from agentd.engine.starts import Starts
from agentd.errors import Draining, EngineBusy
from agentd.log import get_log

log = get_log("pool")


@dataclass(frozen=True)
class PoolLimits:
    """How many clients may live and start at once, and how long one may idle."""

    max_live: int
    max_starting: int
    idle_seconds: float


class Pool:
    """Live clients by conversation; the caller serialises turns of one of them."""

    def __init__(
        self, factory: ClientFactory, limits: PoolLimits, clock: Callable[[], float]
    ) -> None:
        self._factory = factory
        self._limits = limits
        self._clock = clock
        self._clients: dict[str, LiveClient] = {}
        self._starts = Starts(limits.max_starting)
        self._tasks = asyncio.TaskGroup()
        self._stopping = False

    async def __aenter__(self) -> Pool:
        await self._tasks.__aenter__()
        self._reaper = self._tasks.create_task(self._reap(), name="idle clients")
        return self

    async def __aexit__(self, *details: object) -> None:
        self._stopping = True
        self._reaper.cancel()
        clients = list(self._clients.values())
        async with asyncio.TaskGroup() as closing:
            for client in clients:
                closing.create_task(client.close())
        await self._tasks.__aexit__(None, None, None)

    def find(self, conversation_id: str) -> LiveClient | None:
        """Return the conversation's client if it lives."""
        client = self._clients.get(conversation_id)
        return None if client is None or client.closing else client

    def counts(self) -> Mapping[str, int]:
        """Return how many clients live for each agent."""
        return Counter(client.wish.agent for client in self._clients.values())

    def has_room(self, conversation_id: str) -> bool:
        """Return whether ``take`` would find or make room for the conversation."""
        return (
            conversation_id in self._clients
            or len(self._clients) < self._limits.max_live
            or any(not client.in_turn for client in self._clients.values())
        )

    async def take(self, wish: ClientWish) -> LiveClient:
        """Return a client for a turn, started if none lives that serves the wish.

        It is marked as in a turn; ``give_back`` ends that. Raise EngineBusy if no
        further client may live and none of the living ones is idle.
        """
        client = self.find(wish.conversation_id)
        if client is not None and client.wish.same_client(wish):
            client.in_turn = True
            return client
        if (old := self._clients.get(wish.conversation_id)) is not None:
            await old.close()
        await self._make_room()
        if self._stopping:
            raise Draining("No client is started: control is stopping.")
        client = LiveClient(wish, self._factory(wish), self._starts, self._forget)
        client.in_turn = True
        self._clients[wish.conversation_id] = client
        client.start(self._tasks)
        return client

    def give_back(self, client: LiveClient) -> None:
        """Mark a client as idle from now on."""
        client.in_turn = False
        client.last_used = self._clock()

    async def close_idle(self) -> int:
        """Close the clients that idle too long; return how many."""
        limit = self._clock() - self._limits.idle_seconds
        idle = [
            client
            for client in self._clients.values()
            if not client.in_turn and client.last_used <= limit
        ]
        # All at once: while one of them is slow, another may be taken for a turn.
        async with asyncio.TaskGroup() as closing:
            for client in idle:
                client.closing = True
                closing.create_task(client.close())
        return len(idle)

    async def _make_room(self) -> None:
        while len(self._clients) >= self._limits.max_live:
            idle = [client for client in self._clients.values() if not client.in_turn]
            if not idle:
                raise EngineBusy(
                    f"Cannot start a client: all {self._limits.max_live} are in a "
                    "turn. Try again shortly, or raise max_live_clients."
                )
            oldest = min(idle, key=lambda client: client.last_used)
            await oldest.close()

    def _forget(self, client: LiveClient) -> None:
        if self._clients.get(client.wish.conversation_id) is client:
            del self._clients[client.wish.conversation_id]

    async def _reap(self) -> None:
        pause = min(30.0, self._limits.idle_seconds / 2)
        while True:
            await asyncio.sleep(pause)
            if closed := await self.close_idle():
                log.info("idle_clients_closed", count=closed)
