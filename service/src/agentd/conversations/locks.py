# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which conversations are in a turn, or are being changed."""

from __future__ import annotations

import asyncio

from agentd.errors import ConversationBusy


class Locks:
    """One holder for each key; whoever comes second is refused, and never waits."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self.quiet = asyncio.Event()
        self.quiet.set()

    def holds(self, key: str) -> bool:
        """Return whether somebody holds the key."""
        return key in self._held

    def take(self, key: str, what: str, *, conversation_id: str | None = None) -> None:
        """Hold a key; raise ConversationBusy that names what it stands for."""
        if key in self._held:
            raise ConversationBusy(
                f"{what} is in a turn. Wait for its answer and try again.",
                conversation_id,
            )
        self._held.add(key)
        self.quiet.clear()

    def release(self, key: str) -> None:
        """Give a key back; nothing happens if nobody holds it."""
        self._held.discard(key)
        if not self._held:
            self.quiet.set()
