# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""SQLite: the pragmas that our promises need, and one thread that writes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agentd.database.damaged import check, set_aside, tidy
from agentd.database.writer import LIMIT_SECONDS, until_done
from agentd.errors import DatabaseFailed
from agentd.log import get_log

BUSY_TIMEOUT_MILLISECONDS = 5000
POOL_SIZE = 4
SYNCED, UNSYNCED = "FULL", "NORMAL"

Result = TypeVar("Result")

log = get_log("database")


def sqlite_engines(path: Path) -> tuple[AsyncEngine, SqliteWriter]:
    """Return what reads and what writes the file; nothing is opened yet."""
    reads = create_async_engine(
        f"sqlite+aiosqlite:///{path}", pool_size=POOL_SIZE, max_overflow=0
    )
    plain = create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0)
    for one in (reads.sync_engine, plain):
        event.listen(one, "connect", _set_pragmas)
        event.listen(one, "begin", _begin)
    return reads, SqliteWriter(plain)


class SqliteWriter:
    """Runs transactions one after the other, on one connection in one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._connection: Connection | None = None
        self._synchronous = SYNCED

    async def run(
        self,
        deed: Callable[[Connection], Result],
        *,
        synced: bool,
        seconds: float = LIMIT_SECONDS,
    ) -> Result:
        """Run a deed in a transaction of its own and return what it returned."""
        loop = asyncio.get_running_loop()
        mode = SYNCED if synced else UNSYNCED
        return await until_done(
            loop.run_in_executor(self._thread, self._run, deed, mode)
        )

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


def make_ready(path: Path) -> None:
    """Set the database aside if it is damaged, and begin one if there is none.

    Raise OSError if its directory does not let us.
    """
    tidy(path.parent)
    if (fault := check(path)) is not None:
        kept = set_aside(path)
        log.error("database_set_aside", fault=fault, kept=str(kept))
    _begin_private(path)


def _begin_private(path: Path) -> None:
    """Make an empty file that nobody else reads; SQLite's others take its mode."""
    # What cannot be made is told by SQLite itself, with its own reason.
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_pragmas(connection: Any, _record: Any) -> None:
    # With the driver's own BEGIN turned off, ours decides which lock is taken:
    # a deferred transaction that turns into a writer fails at once when busy.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        mode = cursor.fetchone()
        if mode is None or str(mode[0]).lower() != "wal":
            raise DatabaseFailed(
                f"Cannot open the database: its journal mode is {mode}, not WAL. "
                "Put it on a local file system."
            )
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()


def _begin(connection: Any) -> None:
    writes = connection.get_execution_options().get("agentd_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
