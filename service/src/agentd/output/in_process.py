# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The output of tasks without another server: in this process, and gone with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import islice

from agentd.clock import Clock
from agentd.output.pieces import END, Piece
from agentd.output.places import Place, gap_before, place_of
from agentd.output.protocol import OutputEvent
from agentd.output.taking import JOIN_SECONDS, Taking, came

AT_ONCE = 32


class InProcessOutput(Taking):
    """Keeps the output of the latest tasks in memory."""

    def __init__(self, ttl_seconds: float, clock: Clock) -> None:
        super().__init__(ttl_seconds, clock)
        self._readers: dict[str, set[asyncio.Event]] = {}
        self._dismissed = False
        self._running = AsyncExitStack()

    async def __aenter__(self) -> InProcessOutput:
        tasks = await self._running.enter_async_context(asyncio.TaskGroup())
        self._running.callback(tasks.create_task(self._give()).cancel)
        return self

    async def __aexit__(self, *details: object) -> None:
        self.dismiss()
        await self._running.aclose()

    def dismiss(self) -> None:
        """Let every reader come to an end."""
        self._dismissed = True
        for waiting in self._readers.values():
            for one in waiting:
                one.set()

    async def read(
        self, task_id: str, after: str | None, patience_seconds: float
    ) -> AsyncGenerator[OutputEvent | None, None]:
        """Return the events of a task until its end."""
        last = place_of(after)
        with self._reader(task_id) as changed:
            looked = False
            while not self._dismissed:
                changed.clear()
                some = self._some(task_id, last)
                for place, piece in some:
                    gap = gap_before(place, last)
                    if gap is not None:
                        yield gap
                    last = place
                    yield OutputEvent(str(place), piece.event, json.loads(piece.data))
                    if piece.event == END:
                        return
                if not some and not (looked and await came(changed, patience_seconds)):
                    yield None
                looked = True

    def _some(self, task_id: str, last: Place) -> list[tuple[Place, Piece]]:
        # Few at once: a reader that is slow keeps them though the ring does not.
        ring = self._held.ring(task_id)
        if ring is None or ring.last_at < self._oldest():
            return []
        return list(islice(ring.behind(last), AT_ONCE))

    @contextmanager
    def _reader(self, task_id: str) -> Iterator[asyncio.Event]:
        changed = asyncio.Event()
        waiting = self._readers.setdefault(task_id, set())
        waiting.add(changed)
        try:
            yield changed
        finally:
            waiting.discard(changed)
            if not waiting:
                self._readers.pop(task_id, None)

    async def _give(self) -> None:
        """Give what was said to the readers, and forget what is too old."""
        while True:
            if await self._more():
                await asyncio.sleep(JOIN_SECONDS)
            self._said.clear()
            for task_id in self._held.take_changed():
                for one in self._readers.get(task_id, ()):
                    one.set()
            self._held.forget_older(self._oldest())
