# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What many ask for at once is stored by one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")
MAX_BATCH = 500


class GroupCommit(Generic[Asked, Given]):
    """Gathers what is asked while a transaction runs, and gives it to the next.

    ``store`` returns, for each thing that was asked and in that order, what is given
    for it or why it is refused; an error that it raises is everybody's.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Asked]], Awaitable[Sequence[Given | Exception]]],
        most: int,
    ) -> None:
        self._store = store
        self._most = most
        self._waiting: deque[tuple[Asked, asyncio.Future[Given]]] = deque()
        self._asked = asyncio.Event()

    @property
    def full(self) -> bool:
        """Return whether as many wait as may."""
        return len(self._waiting) >= self._most

    async def ask(self, one: Asked) -> Given:
        """Return what is given for this once it is stored; raise why it is not."""
        future: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        self._asked.set()
        return await future

    async def run(self) -> None:
        """Store what is asked for until cancelled; then nobody is left waiting."""
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                while self._waiting:
                    await self._round()
        finally:
            for _one, future in self._waiting:
                future.cancel()

    async def _round(self) -> None:
        count = min(len(self._waiting), MAX_BATCH)
        batch = [self._waiting.popleft() for _index in range(count)]
        try:
            given = await self._store([one for one, _future in batch])
        except asyncio.CancelledError:
            for _one, future in batch:
                future.cancel()
            raise
        except Exception as error:
            for _one, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_one, future), found in zip(batch, given, strict=True):
            if future.done():
                continue
            if isinstance(found, Exception):
                future.set_exception(found)
            else:
                future.set_result(found)
