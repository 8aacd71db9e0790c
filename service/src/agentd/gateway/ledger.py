# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""All accounts together, and their way to disk beside the requests."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from agentd.gateway.account import Account
from agentd.gateway.store import UsageStore
from agentd.log import get_log

WRITE_EVERY_SECONDS = 0.4

_log = get_log("gateway")


class Ledger:
    """Writes what the accounts counted, a moment after it was counted."""

    def __init__(
        self, accounts: Mapping[str, Account], store: UsageStore | None
    ) -> None:
        self.accounts = accounts
        self._store = store
        self._failure: str | None = None
        if store is not None:
            store.restore(accounts)

    @property
    def faults(self) -> tuple[str, ...]:
        """Return sentences on what is wrong with what is kept."""
        if self._store is None:
            return ()
        found = []
        if self._store.set_aside is not None:
            found.append(
                f'The usage of agents in "{self._store.path}" was damaged and set '
                f'aside as "{self._store.set_aside}": budgets count from zero.'
            )
        if self._failure is not None:
            found.append(
                f'Cannot write the usage of agents to "{self._store.path}": '
                f"{self._failure}. It is counted in memory until that works again. "
                "See that the directory can be written and has space."
            )
        return tuple(found)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Write regularly, and once more at the end."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep(stop))
            try:
                yield
            finally:
                stop.set()

    async def _keep(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with asyncio.timeout(WRITE_EVERY_SECONDS):
                    await stop.wait()
            except TimeoutError:
                pass
            await self.write()
        if self._store is not None:
            self._store.close()

    async def write(self) -> None:
        """Write what is not written yet; keep it if that fails."""
        counted = {
            name: account.take_unwritten()
            for name, account in self.accounts.items()
            if account.unwritten.days
        }
        if self._store is None or not counted:
            return
        try:
            await asyncio.to_thread(self._store.write, counted)
        except sqlite3.Error as error:
            for name, unwritten in counted.items():
                self.accounts[name].take_back(unwritten)
            if self._failure is None:
                _log.error("usage_not_written", reason=str(error))
            self._failure = str(error)
        else:
            if self._failure is not None:
                _log.info("usage_written_again")
            self._failure = None
