# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Opens the database with the pragmas that our promises need."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from agentd.database.damaged import check, damaged_files, set_aside, tidy
from agentd.database.schema import move_to_this_schema
from agentd.database.writer import Writer
from agentd.errors import DatabaseFailed
from agentd.log import get_log

BUSY_TIMEOUT_MILLISECONDS = 5000
POOL_SIZE = 4

Result = TypeVar("Result")

log = get_log("database")


class Database:
    """An open database: read and write transactions on it."""

    def __init__(self, engine: AsyncEngine, writer: Writer, path: Path) -> None:
        self._engine = engine
        self._writer = writer
        self.path = path

    def set_aside(self) -> list[str]:
        """Return the names of the damaged databases that lie beside this one."""
        return damaged_files(self.path)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading; raise DatabaseFailed if it breaks."""
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _failed("read", self.path, error) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that commits at the end; raise DatabaseFailed."""
        try:
            async with self._engine.connect() as raw:
                connection = await raw.execution_options(agentd_write=True)
                async with connection.begin():
                    yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _failed("write", self.path, error) from error

    async def do(
        self, deed: Callable[[Connection], Result], *, synced: bool = True
    ) -> Result:
        """Run a whole transaction in the writer's thread; raise DatabaseFailed.

        Unsynced is for what nobody was told yet: a later synced one takes it along.
        """
        try:
            return await self._writer.run(deed, synced=synced)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise _failed("write", self.path, error) from error


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open the database, move it to this schema, and close it at the end.

    A database that SQLite calls damaged is set aside and an empty one begun. Raise
    DatabaseFailed if it cannot be opened, DatabaseTooNew if its schema is newer
    than this version.
    """
    path = Path(url.partition("///")[2])
    await asyncio.to_thread(_look, path)
    engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0)
    plain = create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0)
    for one in (engine.sync_engine, plain):
        event.listen(one, "connect", _set_pragmas)
        event.listen(one, "begin", _begin)
    writer = Writer(plain)
    database = Database(engine, writer, path)
    try:
        before, after = await database.do(move_to_this_schema)
        if before != after:
            log.info("schema_moved", before=before, after=after)
        yield database
    finally:
        await writer.close()
        await engine.dispose()


def _look(path: Path) -> None:
    """Set the database aside if it is damaged."""
    try:
        tidy(path.parent)
        if (fault := check(path)) is not None:
            kept = set_aside(path)
            log.error("database_set_aside", fault=fault, kept=str(kept))
        _begin_private(path)
    except OSError as error:
        raise _failed("open", path, error) from error


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


def _failed(verb: str, path: Path, error: Exception) -> DatabaseFailed:
    cause = getattr(error, "orig", None) or error
    return DatabaseFailed(
        f'Cannot {verb} the database "{path}": {cause}. Check that its directory is '
        "writable for control and that its disk is not full."
    )
