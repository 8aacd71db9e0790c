# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Opens the database, SQLite or PostgreSQL, and tells what is wrong with it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agentd.address import DatabaseAddress, DatabaseKind, database_address
from agentd.database.damaged import damaged_files
from agentd.database.limit import Limit, Line, attach_current, under
from agentd.database.schema import MOVE_SECONDS, move_to_this_schema
from agentd.database.sqlite import make_ready, sqlite_engines
from agentd.database.writer import LIMIT_SECONDS, Writer
from agentd.errors import DatabaseConflict, DatabaseFailed
from agentd.log import get_log

ADVICE = {
    "sqlite": "Check that its directory is writable for control and that its disk is "
    "not full.",
    "postgresql": "Check that the server runs, that control reaches it, and the "
    "address in database_url_file.",
}

Result = TypeVar("Result")

log = get_log("database")


class Database:
    """An open database: read and write transactions on it."""

    def __init__(
        self,
        engine: AsyncEngine,
        writer: Writer,
        address: DatabaseAddress,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._address = address
        self._limit_seconds = limit_seconds

    @property
    def kind(self) -> DatabaseKind:
        """Return "sqlite" or "postgresql"."""
        return self._address.kind

    @property
    def shared(self) -> bool:
        """Return whether other hosts may have the same database open."""
        return self._address.kind == "postgresql"

    @property
    def where(self) -> str:
        """Return where it is, for messages; without a password."""
        return self._address.where

    @property
    def path(self) -> Path | None:
        """Return its file, if it is one."""
        return self._address.path

    def set_aside(self) -> list[str]:
        """Return the names of the damaged databases that lie beside this one."""
        return [] if self.path is None else damaged_files(self.path)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading; raise DatabaseFailed if it breaks."""
        limit = Limit()
        try:
            with self._limited(limit):
                async with self._engine.connect() as connection:
                    yield connection
        except (SQLAlchemyError, OSError) as error:
            raise self._failed("read", error, limit) from error

    @asynccontextmanager
    async def on(self, connection: AsyncConnection) -> AsyncIterator[None]:
        """Use a connection that was kept; raise DatabaseFailed if it breaks."""
        limit = Limit()
        try:
            with self._limited(limit):
                raw = await connection.get_raw_connection()
                attach_current(cast(Line, raw.driver_connection))
                yield
        except (SQLAlchemyError, OSError) as error:
            raise self._failed("write", error, limit) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that commits at the end; raise DatabaseFailed."""
        limit = Limit()
        try:
            with self._limited(limit):
                async with self._engine.connect() as raw:
                    connection = await raw.execution_options(agentd_write=True)
                    async with connection.begin():
                        yield connection
        except (SQLAlchemyError, OSError) as error:
            raise self._failed("write", error, limit) from error

    async def do(
        self,
        deed: Callable[[Connection], Result],
        *,
        synced: bool = True,
        seconds: float | None = None,
    ) -> Result:
        """Run a whole transaction in a writer's thread; raise DatabaseFailed.

        Unsynced is for what nobody was told yet: a later synced one takes it along.
        On PostgreSQL a deed may be run more than once, and is stored once.
        """
        try:
            return await self._writer.run(
                deed, synced=synced, seconds=seconds or self._limit_seconds
            )
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise self._failed("write", error) from error

    @asynccontextmanager
    async def keep(self) -> AsyncIterator[Kept]:
        """Give a connection of one's own that is closed at the end.

        Raise DatabaseFailed if there is none.
        """
        limit = Limit()
        try:
            with self._limited(limit):
                connection = await self._engine.connect()
        except (SQLAlchemyError, OSError) as error:
            raise self._failed("open", error, limit) from error
        try:
            yield Kept(self, connection)
        finally:
            await connection.invalidate()
            await connection.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.close()
        await self._engine.dispose()

    @contextmanager
    def _limited(self, limit: Limit) -> Iterator[None]:
        """Bound how long a server may say nothing; SQLite has no line to cut."""
        if not self.shared:
            yield
            return
        timer = asyncio.get_running_loop().call_later(self._limit_seconds, limit.expire)
        try:
            with under(limit):
                yield
        finally:
            timer.cancel()

    def _failed(
        self, verb: str, error: Exception, limit: Limit | None = None
    ) -> DatabaseFailed:
        over = limit is not None and limit.over
        return failed(verb, self._address, error, over=over)


class Kept:
    """One connection that stays, with each statement stored by itself."""

    def __init__(self, database: Database, connection: AsyncConnection) -> None:
        self._database = database
        self._connection = connection

    async def run(self, deed: Callable[[Connection], Result]) -> Result:
        """Run a deed and return what it returned; raise DatabaseFailed."""
        async with self._database.on(self._connection):
            done = await self._connection.run_sync(deed)
            await self._connection.commit()
        return done


@asynccontextmanager
async def open_database(
    url: str, *, limit_seconds: float = LIMIT_SECONDS
) -> AsyncIterator[Database]:
    """Open the database, move it to this schema, and close it at the end.

    ``limit_seconds`` is how long a server may say nothing.

    A database that SQLite calls damaged is set aside and an empty one begun. Raise
    DatabaseFailed if it cannot be opened, DatabaseTooNew if its schema is newer
    than this version.
    """
    database = await _opened(url, limit_seconds)
    try:
        before, after = await database.do(move_to_this_schema, seconds=MOVE_SECONDS)
        if before != after:
            log.info("schema_moved", before=before, after=after)
        yield database
    finally:
        await database.close()


async def _opened(url: str, limit_seconds: float) -> Database:
    try:
        address = database_address(url)
    except ValueError as error:
        raise DatabaseFailed(f"Cannot open the database: {error}.") from None
    if address.path is not None:
        try:
            await asyncio.to_thread(make_ready, address.path)
        except OSError as error:
            raise failed("open", address, error) from error
        return Database(*sqlite_engines(address.path), address)
    # The driver costs 10 MB that nobody needs who has SQLite.
    from agentd.database.postgres import postgres_engines

    try:
        return Database(*postgres_engines(address.url), address, limit_seconds)
    except (SQLAlchemyError, ValueError) as error:
        raise failed("open", address, error) from error


def failed(
    verb: str, address: DatabaseAddress, error: Exception, *, over: bool = False
) -> DatabaseFailed:
    """Return what could not be done, and why: without a password, without rows."""
    cause: object = getattr(error, "orig", None) or error
    told = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    reason = "it did not answer in time" if over else address.hide(told.strip())
    kind = DatabaseConflict if isinstance(error, IntegrityError) else DatabaseFailed
    return kind(
        f'Cannot {verb} the database "{address.where}": {reason}. '
        f"{ADVICE[address.kind]}"
    )
