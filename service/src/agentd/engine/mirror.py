# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the CLI writes to its transcript, stored while the turn runs.

The SDK's own batcher keeps what comes while a store is slow, without a bound, and
derives keys from a path that the CLI's side chose; so that this stands in its place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agentd.engine.mirror_entries import key_of_path
from agentd.errors import AgentdError, StoreRefused

MAX_PENDING_BYTES = 1024 * 1024
MAX_PENDING_ENTRIES = 500
MAX_KNOWN = 1024
FLUSH_SECONDS = 5.0
TOO_LONG = "The CLI wrote more of the transcript at once than is read."


class Store(Protocol):
    """A store of one session."""

    async def append(
        self, key: Mapping[str, str], entries: Sequence[dict[str, Any]]
    ) -> None:
        """Store entries; raise an error of ours."""

    def lose(self, reason: str) -> None:
        """Note that something did not come here at all."""


class Mirror:
    """Gathers entries, and stores them before the end of a turn is told.

    Whoever writes more than may wait is not read until it is stored. What cannot be
    stored is dropped: it lies on the agent's disk, from where it is fetched later.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._bytes = 0
        self._entries = 0
        self._known: deque[str] = deque(maxlen=MAX_KNOWN)

    async def take(self, size: int, message: Mapping[str, Any]) -> None:
        """Take what the CLI wrote to one of its files."""
        entries = message.get("entries")
        try:
            if not isinstance(entries, list):
                raise StoreRefused(TOO_LONG)
            key = key_of_path(message.get("filePath"))
        except StoreRefused as error:
            self._store.lose(str(error))
            return
        # By session too: the store refuses what is not its own.
        self._pending.setdefault((key.session_id, key.subpath), []).extend(entries)
        self._bytes += size
        self._entries += len(entries)
        if self._bytes > MAX_PENDING_BYTES or self._entries > MAX_PENDING_ENTRIES:
            await self.flush()

    async def flush(self) -> None:
        """Store what was gathered; what went wrong is told by the store alone."""
        pending, self._pending = self._pending, {}
        self._bytes = self._entries = 0
        for (session_id, subpath), entries in pending.items():
            key = {"project_key": "-", "session_id": session_id}
            if subpath:
                key["subpath"] = subpath
            # A few at a time: others wait for the database too.
            for first in range(0, len(entries), MAX_PENDING_ENTRIES):
                some = entries[first : first + MAX_PENDING_ENTRIES]
                try:
                    async with asyncio.timeout(FLUSH_SECONDS):
                        await self._store.append(key, some)
                except (AgentdError, TimeoutError):
                    break
                if not subpath:
                    self._note(some)

    def holds(self, uuid: str) -> bool:
        """Return whether the line with that uuid was stored lately."""
        return uuid in self._known

    def _note(self, entries: Sequence[Mapping[str, Any]]) -> None:
        for entry in entries[-MAX_KNOWN:]:
            uuid = entry.get("uuid")
            if isinstance(uuid, str):
                self._known.append(uuid)
