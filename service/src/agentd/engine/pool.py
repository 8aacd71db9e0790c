# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The live clients: one for each active conversation, bounded, idle ones closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from agentd.deadline import Deadline
from agentd.engine.client import ClientFactory
from agentd.engine.limits import PoolLimits
from agentd.engine.live import Around, LiveClient
from agentd.engine.outbox import Outbox
from agentd.engine.places import Places
from agentd.engine.protocol import ClientWish, EngineWatch, Outbound, OutboundListener
from agentd.engine.starts import Starts
from agentd.engine.watch import Watching
from agentd.errors import Draining, EngineBusy
from agentd.log import get_log

# An agent that takes long to close an idle client must not make the others wait.
MAKE_ROOM_SECONDS = 2.0
HAND_OVER_SECONDS = 2.0
# A client that works in the background may idle so many times as long as others.
WORKING_TIMES = 8

log = get_log("pool")


class Pool:
    """Live clients by conversation; the caller serialises turns of one of them."""

    def __init__(
        self,
        factory: ClientFactory,
        limits: PoolLimits,
        clock: Callable[[], float],
    ) -> None:
        self._factory = factory
        self._limits = limits
        self._clock = clock
        self._watching = Watching()
        self._places = Places(limits, self._watching)
        self._outbox = Outbox(clock)
        self._around = Around(
            Starts(limits.max_starting), self._outbox, self._watching, self._forget
        )
        self._clients: dict[str, LiveClient] = {}
        self._tasks = asyncio.TaskGroup()
        self._stopping = False

    async def __aenter__(self) -> Pool:
        await self._tasks.__aenter__()
        self._reaper = self._tasks.create_task(self._reap(), name="idle clients")
        return self

    async def __aexit__(self, *details: object) -> None:
        self._stopping = True
        self._reaper.cancel()
        await self._close_all(list(self._clients.values()), "stopped")
        await self._tasks.__aexit__(None, None, None)

    def listen(self, listener: OutboundListener) -> None:
        """Give every text that is no answer to this listener from now on."""
        self._outbox.listen(listener)

    def watch(self, watch: EngineWatch) -> None:
        """Tell this watch of clients and waiting turns from now on."""
        self._watching.watch = watch

    def find(self, conversation_id: str) -> LiveClient | None:
        """Return the conversation's client if it lives."""
        client = self._clients.get(conversation_id)
        return None if client is None or client.closing else client

    def counts(self) -> Mapping[str, int]:
        """Return how many clients live for each agent."""
        return Counter(client.wish.agent for client in self._clients.values())

    def has_room(self, agent: str) -> bool:
        """Return whether ``take`` would find a place, or one to wait for it."""
        return not self._stopping and self._places.has_room(agent)

    async def take(self, wish: ClientWish) -> LiveClient:
        """Return a client for a turn, started if none lives that serves the wish.

        It is marked as in a turn; ``give_back`` ends that. Raise EngineBusy if no
        turn more may run, and none became free in time.
        """
        await self._places.enter(wish.agent)
        try:
            return await self._client_for(wish)
        except BaseException:
            self._places.leave(wish.agent)
            raise

    def give_back(self, client: LiveClient) -> None:
        """Mark a client as idle from now on."""
        client.in_turn = False
        client.last_used = self._clock()
        self._places.leave(client.wish.agent)

    async def close_idle(self) -> int:
        """Close the clients that idle too long; return how many."""
        now, limit = self._clock(), self._limits.idle_seconds
        idle = [
            client
            for client in self._idle()
            if now - client.last_used >= limit * (WORKING_TIMES if client.works else 1)
        ]
        await self._close_all(idle, "idle")
        return len(idle)

    async def hand_over(self) -> int:
        """Leave every client to its agent's side; return how many were in a turn."""
        self._stopping = True
        clients = list(self._clients.values())
        running = sum([client.hand_over() for client in clients])
        with suppress(TimeoutError):
            async with Deadline(HAND_OVER_SECONDS):
                for client in clients:
                    await client.closed.wait()
        return running

    async def _client_for(self, wish: ClientWish) -> LiveClient:
        client = self.find(wish.conversation_id)
        if client is not None and client.wish.same_client(wish):
            client.in_turn = True
            return client
        if (old := self._clients.get(wish.conversation_id)) is not None:
            await old.close("other_wish")
        await self._make_room(wish.agent)
        if self._stopping:
            raise Draining("No client is started: control is stopping.")
        # Nothing is awaited from here on, so that the room is still there.
        client = LiveClient(
            wish,
            self._factory(wish, lambda text: self._send(wish, text)),
            self._around,
        )
        client.in_turn = True
        self._clients[wish.conversation_id] = client
        client.start(self._tasks)
        return client

    def _send(self, wish: ClientWish, text: str) -> str | None:
        outbound = Outbound(wish.agent, wish.conversation_id, text, "tool")
        return self._outbox.offer(outbound)

    async def _make_room(self, agent: str) -> None:
        """Close idle clients until one more may live.

        No more turns run than clients may live, so that there is always an idle one.
        """
        while not self._stopping:
            there = self._there()
            counts = Counter(client.wish.agent for client in there)
            own = counts[agent] >= self._places.cap(agent)
            if not own and len(there) < self._limits.max_live:
                return
            ours = [one for one in there if not own or one.wish.agent == agent]
            leaving = next((one for one in ours if one.closing), None)
            if leaving is None:
                leaving = choose_victim(self._idle(), counts, agent if own else None)
                if leaving is None:
                    raise EngineBusy(
                        f'Cannot start a client for agent "{agent}": as many live as '
                        "may, and none of them is idle. Try again shortly."
                    )
                leaving.note_end("room")
                self._tasks.create_task(leaving.close("room"))
            with suppress(TimeoutError):
                async with asyncio.timeout(MAKE_ROOM_SECONDS):
                    await leaving.closed.wait()

    def _there(self) -> list[LiveClient]:
        """Return the clients that count: an end that takes long is not waited for."""
        late = asyncio.get_running_loop().time() - MAKE_ROOM_SECONDS
        return [
            client
            for client in self._clients.values()
            if not client.closing or client.closing_at > late
        ]

    def _idle(self) -> list[LiveClient]:
        return [
            client
            for client in self._clients.values()
            if not client.in_turn and not client.closing
        ]

    async def _close_all(self, clients: Iterable[LiveClient], why: str) -> None:
        # All at once: while one of them is slow, another may be taken for a turn.
        clients = list(clients)
        for client in clients:
            client.note_end(why)
        async with asyncio.TaskGroup() as closing:
            for client in clients:
                closing.create_task(client.close(why))

    def _forget(self, client: LiveClient) -> None:
        if self._clients.get(client.wish.conversation_id) is client:
            del self._clients[client.wish.conversation_id]

    async def _reap(self) -> None:
        pause = min(30.0, self._limits.idle_seconds / 2)
        while True:
            await asyncio.sleep(pause)
            if closed := await self.close_idle():
                log.info("idle_clients_closed", count=closed)


def choose_victim(
    idle: Iterable[LiveClient], staying: Mapping[str, int], agent: str | None
) -> LiveClient | None:
    """Return the idle client that is closed to make room, or None.

    It is one of the named agent, or of the agent that has the most clients: who opens
    many conversations closes its own. Of those it is the least recently used, and one
    that works in the background last.
    """
    able = [one for one in idle if agent is None or one.wish.agent == agent]
    return min(
        able,
        key=lambda one: (-staying[one.wish.agent], one.works, one.last_used),
        default=None,
    )
