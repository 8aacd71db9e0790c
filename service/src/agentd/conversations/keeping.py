# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Transcripts that the database keeps too, brought together with those on disk.

One of them is the truth at a time: what the disk has beyond the database goes into
the database, and then what the database has beyond the disk goes to the disk. What
comes from an agent's disk is bounded and judged like all that comes out of there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

from agentd.conversations.restoring import Goal, restore
from agentd.conversations.tails import Tail, first_tail, next_tail
from agentd.database import transcripts
from agentd.database.transcripts import NewEntry
from agentd.engine.mirror_entries import MAX_ENTRY_BYTES, entry_of_line
from agentd.engine.mirror_store import (
    MAX_SESSION_BYTES,
    Binding,
    BoundStore,
    Put,
    StoreParts,
)
from agentd.engine.protocol import ClientWish
from agentd.errors import AgentdError, StoreRefused
from agentd.log import get_log
from agentd.spawner.protocol import Spawner

BATCH_BYTES = 1024 * 1024
BATCH_ENTRIES = 1000
LINES_IN_A_ROW = 64
MAX_GAPS = 1000
# For what is largest; an agent's side may answer byte by byte.
FILL_SECONDS = 120.0
TOO_SLOW = "The transcript on disk could not be read in time."
NOT_STORED = (
    "This turn is not in the database yet, so that only this host can go on with it: "
    "{reason}"
)

log = get_log("keeping")

# How the disk stands to the database before anything was done about it.
Standing = Literal["missing", "behind", "parted", "whole"]


@dataclass(frozen=True)
class CaughtUp:
    """How the disk stood, how many entries went in, and what is stored now."""

    standing: Standing
    entries: int = 0
    stored_bytes: int = 0


class Keeping:
    """The stores of the sessions that are used now, and what they lack."""

    def __init__(self, parts: StoreParts, spawner: Spawner) -> None:
        self._parts = parts
        self._spawner = spawner
        # Held by the clients that write to them: who comes later starts from the disk.
        self._stores: WeakValueDictionary[Binding, BoundStore] = WeakValueDictionary()
        # Those with a gap are held until it is filled, whatever becomes of a client.
        self._gaps: dict[Binding, BoundStore] = {}

    def store_of(self, wish: ClientWish) -> BoundStore:
        """Return the store that a client writes to."""
        return self.store(Binding(wish.agent, wish.conversation_id, wish.session_id))

    def store(self, binding: Binding) -> BoundStore:
        """Return the store of a session: one for all who use it now."""
        store = self._stores.get(binding)
        if store is None:
            store = self._stores[binding] = BoundStore(self._parts, binding)
        return store

    async def prove(self, binding: Binding, uuid: str | None) -> str | None:
        """Bring in what a turn that ended wrote; return why that was not possible."""
        store = self.store(binding)
        before = store.gap
        try:
            await self._catch_up(store, fenced=True)
            if uuid is None or await self._holds(binding, uuid):
                log.info("transcript_caught_up", session=binding.session_id)
                self._gaps.pop(binding, None)
                return None
            reason = "The transcript on disk does not hold what was stored before."
        except AgentdError as error:
            reason = str(error)
        self._hold(store, reason)
        return NOT_STORED.format(reason=before or reason)

    async def settle(self, binding: Binding, goal: Goal | None = None) -> None:
        """Bring disk and database together before a session is resumed.

        What the disk has and cannot be stored stops nobody from going on here. Raise
        DatabaseFailed or an agent's error.
        """
        store = self.store(binding)
        try:
            found = await self._catch_up(store, fenced=False)
        except StoreRefused as error:
            self._hold(store, str(error))
            return
        self._gaps.pop(binding, None)
        if found.standing == "whole" or found.stored_bytes == 0:
            return
        parted = found.standing == "parted"
        told = {"agent": binding.agent, "session": binding.session_id}
        if parted:
            log.warning("transcript_parted", **told)
        files = await self._restore(goal, binding, keep=parted)
        log.info("transcript_restored", files=files, standing=found.standing, **told)

    async def _restore(self, goal: Goal | None, binding: Binding, *, keep: bool) -> int:
        goal = goal or Goal(self._spawner)
        return await restore(self._parts.database, goal, binding.place, keep=keep)

    def _hold(self, store: BoundStore, reason: str) -> None:
        """Note that a session's store lacks something."""
        store.lose(reason)
        self._gaps[store.binding] = store
        if len(self._gaps) > MAX_GAPS:
            del self._gaps[next(iter(self._gaps))]

    async def _catch_up(self, store: BoundStore, *, fenced: bool) -> CaughtUp:
        binding = store.binding
        async with store.filling(fenced=fenced) as put:
            async with self._parts.database.read() as connection:
                stored = await transcripts.stored(connection, binding.place)
            tail = await first_tail(self._spawner, binding, stored.last_uuid)
            if not tail.exists:
                return CaughtUp("missing", stored_bytes=stored.size)
            if not tail.found:
                last = tail.last_uuid
                behind = last is None or await self._holds(binding, last)
                standing: Standing = "behind" if behind else "parted"
                return CaughtUp(standing, stored_bytes=stored.size)
            try:
                async with asyncio.timeout(FILL_SECONDS):
                    count = await self._fill(binding, tail, put)
            except TimeoutError as error:
                raise StoreRefused(TOO_SLOW) from error
        if count:
            log.info("entries_caught_up", session=binding.session_id, count=count)
        return CaughtUp("whole", count, stored.size)

    async def _fill(self, binding: Binding, tail: Tail, put: Put) -> int:
        """Store the lines of the file from there on; return how many they are."""
        rest, batch, count, total = b"", Batch(), 0, 0
        while True:
            *whole, rest = (rest + tail.data).split(b"\n")
            total += len(tail.data)
            if len(rest) > MAX_ENTRY_BYTES or total > MAX_SESSION_BYTES:
                raise StoreRefused("The transcript on disk is too large to be stored.")
            for number, line in enumerate(whole):
                batch.add(entry_of_line(line))
                if number % LINES_IN_A_ROW == 0:
                    await asyncio.sleep(0)
            last = tail.end >= tail.size or not tail.data
            if batch.is_due(last=last):
                count += len(batch.entries)
                await put("", batch.take())
            if last:
                return count
            tail = await next_tail(self._spawner, binding, tail)

    async def _holds(self, binding: Binding, uuid: str) -> bool:
        async with self._parts.database.read() as connection:
            return await transcripts.holds(connection, binding.place, uuid)


def keeping_of(
    wanted: bool | None, parts: StoreParts, spawner: Spawner
) -> Keeping | None:
    """Return what keeps transcripts, if that is wanted; null is where hosts share."""
    keeps = parts.database.shared if wanted is None else wanted
    return Keeping(parts, spawner) if keeps else None


class Batch:
    """Entries that are stored together, once one of them can be known again.

    Lines without a uuid that come last may be stored already; they are small, say
    what was said before, and wait for one that has.
    """

    def __init__(self) -> None:
        self.entries: list[NewEntry] = []
        self._bytes = 0
        self._known = False

    def add(self, entry: NewEntry | None) -> None:
        """Add an entry, if the line is one that is stored."""
        if entry is not None:
            self.entries.append(entry)
            self._bytes += entry.size
            self._known = self._known or entry.uuid is not None

    def is_due(self, *, last: bool) -> bool:
        """Return whether to store them now."""
        full = self._bytes >= BATCH_BYTES or len(self.entries) >= BATCH_ENTRIES
        return self._known and (last or full)

    def take(self) -> Sequence[NewEntry]:
        """Return the entries, and begin again."""
        entries, self.entries, self._bytes = self.entries, [], 0
        return entries
