# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Opens the database with the pragmas that our promises need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from agentd.database.schema import move_to_this_schema
from agentd.errors import DatabaseFailed
from agentd.log import get_log

BUSY_TIMEOUT_MILLISECONDS = 5000
POOL_SIZE = 4

log = get_log("database")


class Database:
    """An open database: read and write transactions on it."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self.name = name

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading; raise DatabaseFailed if it breaks."""
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _failed("read", self.name, error) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that commits at the end; raise DatabaseFailed."""
        try:
            async with self._engine.connect() as raw:
                connection = await raw.execution_options(agentd_write=True)
                async with connection.begin():
                    yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _failed("write", self.name, error) from error


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open the database, move it to this schema, and close it at the end.

    Raise DatabaseFailed if it cannot be opened, DatabaseTooNew if its schema is
    newer than this version.
    """
    engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0)
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    database = Database(engine, url.rpartition("///")[2])
    try:
        async with database.write() as connection:
            before, after = await connection.run_sync(move_to_this_schema)
        if before != after:
            log.info("schema_moved", before=before, after=after)
        yield database
    finally:
        await engine.dispose()


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


def _failed(verb: str, name: str, error: Exception) -> DatabaseFailed:
    cause = getattr(error, "orig", None) or error
    return DatabaseFailed(
        f'Cannot {verb} the database "{name}": {cause}. Check that its directory is '
        "writable for control and that its disk is not full."
    )
