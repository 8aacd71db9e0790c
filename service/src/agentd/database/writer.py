# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One thread with one connection, on which whole transactions run.

Each statement of an asynchronous connection is a trip to a thread and back; a turn
makes one trip for each of its transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

Result = TypeVar("Result")
# What a deed is given: it passes it on to the functions of this package.
Transaction = Connection

SYNCED, UNSYNCED = "FULL", "NORMAL"


class Writer:
    """Runs transactions one after the other; cancelling does not cut one in two."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._connection: Connection | None = None
        self._synchronous = SYNCED

    async def run(
        self, deed: Callable[[Connection], Result], *, synced: bool
    ) -> Result:
        """Run a deed in a transaction of its own and return what it returned.

        One that is not synced survives the end of the process, and an end of the
        power only once a later one was synced.
        """
        loop = asyncio.get_running_loop()
        mode = SYNCED if synced else UNSYNCED
        done = loop.run_in_executor(self._thread, self._run, deed, mode)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            # The thread goes on: what was begun is waited for, so that whoever
            # comes next finds it done or undone.
            with suppress(Exception):
                await done
            raise

    async def close(self) -> None:
        """Close the connection and end the thread."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _run(self, deed: Callable[[Connection], Result], mode: str) -> Result:
        connection = self._connected()
        if mode != self._synchronous:
            # SQLAlchemy would begin a transaction first, in which this has no effect.
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA synchronous={mode}")
            self._synchronous = mode
        with connection.begin():
            return deed(connection)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.invalidated:
            self._close()
            connection = self._engine.connect()
            self._connection = connection.execution_options(agentd_write=True)
            self._synchronous = SYNCED
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()
