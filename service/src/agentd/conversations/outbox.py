# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Texts that are no answer: taken at any time, given with the next answer.

An agent chooses them, so that they are bounded in number and in size, here and in
the database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from agentd.clock import Clock
from agentd.database.open import Database
from agentd.database.outbound import (
    OutboundMessage,
    add_outbound,
    deliver_outbound,
    drop_outbound,
    undelivered_conversations,
)
from agentd.database.writer import Transaction
from agentd.engine.protocol import Outbound
from agentd.errors import DatabaseFailed
from agentd.log import get_log

MAX_CHARACTERS = 50_000
MAX_WAITING = 200
RETRY_SECONDS = 5.0
SWEEP_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
CUT = " [cut]"

log = get_log("outbox")


@dataclass(frozen=True)
class Taken:
    """What is given with an answer: texts not stored yet, and up to which one."""

    conversation_id: str
    unstored: tuple[OutboundMessage, ...]
    serial: int


class Outbox:
    """Keeps texts in the database until an answer of their conversation takes them."""

    def __init__(self, database: Database, clock: Clock, ttl_days: float) -> None:
        self._database = database
        self._clock = clock
        self._ttl_seconds = ttl_days * DAY_SECONDS
        self._waiting: deque[OutboundMessage] = deque()
        self._changed = asyncio.Event()
        self._storing = asyncio.Lock()
        self._latest: dict[str, int] = {}
        self._serial = 0

    def offer(self, outbound: Outbound) -> None:
        """Take a text, without waiting; drop it if too many wait to be stored."""
        if len(self._waiting) >= MAX_WAITING:
            log.warning("outbound_dropped", conversation=outbound.conversation_id)
            return
        self._waiting.append(
            OutboundMessage(
                conversation_id=outbound.conversation_id,
                text=_bounded(outbound.text),
                source=outbound.source,
                created_at=self._clock.now(),
            )
        )
        self._serial += 1
        self._latest[outbound.conversation_id] = self._serial
        self._changed.set()

    async def settled(self) -> None:
        """Wait for what is being stored, so that the next answer carries it.

        SQLite's transactions come one after the other by themselves.
        """
        if self._database.shared:
            async with self._storing:
                pass

    def take(self, conversation_id: str) -> Taken | None:
        """Return what waits for the conversation's next answer, if anything does."""
        # What another host took for the conversation is in the database alone.
        if conversation_id not in self._latest and not self._database.shared:
            return None
        mine = tuple(o for o in self._waiting if o.conversation_id == conversation_id)
        self._waiting = deque(
            one for one in self._waiting if one.conversation_id != conversation_id
        )
        return Taken(conversation_id, mine, self._latest.get(conversation_id, 0))

    def put_back(self, taken: Taken) -> None:
        """Keep what was taken for an answer that could not be stored."""
        self._waiting.extendleft(reversed(taken.unstored))
        self._changed.set()

    def given(self, taken: Taken, *, more: bool) -> None:
        """Note that what was taken is stored as delivered, and whether more is left."""
        if not more and self._latest.get(taken.conversation_id) == taken.serial:
            del self._latest[taken.conversation_id]

    async def run(self) -> None:
        """Store what comes, and drop what is too old, until cancelled."""
        while True:
            await self._sweep()
            # What comes meanwhile, however often, puts off no sweep.
            due = self._clock.monotonic() + SWEEP_SECONDS
            while (left := due - self._clock.monotonic()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._changed.wait()
                if self._changed.is_set():
                    self._changed.clear()
                    await self._store()

    async def _store(self) -> None:
        batch = tuple(self._waiting)
        self._waiting.clear()
        try:
            async with self._storing:
                dropped = await self._database.do(lambda c: _add(c, batch))
        except DatabaseFailed as error:
            log.warning("outbound_not_stored", error=str(error))
            self._waiting.extendleft(reversed(batch))
            for message in batch:
                # An answer that was stored meanwhile may have taken all but these.
                self._latest.setdefault(message.conversation_id, self._serial)
            await asyncio.sleep(RETRY_SECONDS)
            self._changed.set()
            return
        if dropped:
            log.warning("outbound_dropped", count=dropped)

    async def _sweep(self) -> None:
        before = self._clock.now() - self._ttl_seconds

        def sweep(connection: Transaction) -> tuple[int, set[str]]:
            dropped = drop_outbound(connection, before)
            return dropped, undelivered_conversations(connection)

        try:
            dropped, waiting = await self._database.do(sweep)
        except DatabaseFailed as error:
            log.warning("outbound_not_swept", error=str(error))
            return
        for conversation_id in waiting:
            self._latest.setdefault(conversation_id, 0)
        if dropped:
            log.info("outbound_too_old", count=dropped)


def give(
    connection: Transaction, taken: Taken, now: float
) -> tuple[tuple[OutboundMessage, ...], bool]:
    """Return the texts for an answer, and whether more is left for the next one."""
    _add(connection, taken.unstored)
    return deliver_outbound(connection, taken.conversation_id, now)


def _add(connection: Transaction, batch: Sequence[OutboundMessage]) -> int:
    return sum(not add_outbound(connection, message) for message in batch)


def _bounded(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= MAX_CHARACTERS else whole[:MAX_CHARACTERS] + CUT
