# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""PostgreSQL: connections that never wait for ever, and threads that write.

The driver's own BEGIN is turned off: reads are statements by themselves, and a
transaction begins where a deed does.
"""

from __future__ import annotations

import asyncio
import random
import select
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agentd.database.limit import Limit, attach_current, cut, under
from agentd.database.writer import LIMIT_SECONDS, until_done

READERS = 6
WRITERS = 4
POOL_SECONDS = 10.0
RECYCLE_SECONDS = 1800
CONNECT_SECONDS = 5
CANCEL_SECONDS = 1.0
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.01
# Two that wait for each other, and one that came second: nothing was stored.
REPEATED = {"40001", "40P01"}

DRIVER = "postgresql+psycopg://"
CONNECTION = {
    "application_name": "agentkeep",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# What the server ends by itself, so that what we left holds no rows; it looks with
# the same patience whether we are still there. Names that it does not know are left.
SESSION = {
    "statement_timeout": "12s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
}
SET_UP = """
SELECT set_config(wanted.name, wanted.value, false)
FROM unnest(%s::text[], %s::text[]) AS wanted (name, value)
JOIN pg_settings USING (name)
UNION ALL
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'
"""
BEGIN = "BEGIN"
BEGIN_UNSYNCED = "BEGIN; SET LOCAL synchronous_commit = off"

Result = TypeVar("Result")


class WithoutNul(StrDumperUnknown):
    """A text as PostgreSQL takes it: it has no place for the character 0."""

    def dump(self, obj: str) -> Buffer | None:
        """Return the text with a sign that something was there."""
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def postgres_engines(url: str) -> tuple[AsyncEngine, PostgresWriter]:
    """Return what reads and what writes the database; nothing is opened yet."""
    words = connection_words(url)
    shared: dict[str, Any] = {
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
        "pool_recycle": RECYCLE_SECONDS,
        "use_native_hstore": False,
        "hide_parameters": True,
    }
    reads = create_async_engine(
        DRIVER, async_creator=partial(_connect, words), pool_size=READERS, **shared
    )
    plain = create_engine(
        DRIVER, creator=partial(_connect_thread, words), pool_size=WRITERS, **shared
    )
    for one in (reads.sync_engine, plain):
        event.listen(one, "checkout", _look)
        event.listen(one, "begin", _begin)
    return reads, PostgresWriter(plain)


class ReadLine(psycopg.AsyncConnection[Any]):
    """A connection whose reader may go away though the server says nothing."""

    # The name of the parameter is the driver's.
    async def cancel_safe(self, *, timeout: float = CANCEL_SECONDS) -> None:  # noqa: ASYNC109
        """Have the server end what it does, or close the line."""
        try:
            await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))
        except psycopg.Error:
            cut(self)
            raise


async def _connect(words: Mapping[str, Any]) -> ReadLine:
    line = await ReadLine.connect(**words, autocommit=True)
    line.adapters.register_dumper(str, WithoutNul)
    attach_current(line)
    try:
        await line.execute(SET_UP, [list(SESSION), list(SESSION.values())])
    except BaseException:
        await line.close()
        raise
    return line


def _connect_thread(words: Mapping[str, Any]) -> psycopg.Connection[Any]:
    line = psycopg.connect(**words, autocommit=True)
    line.adapters.register_dumper(str, WithoutNul)
    attach_current(line)
    try:
        line.execute(SET_UP, [list(SESSION), list(SESSION.values())])
    except BaseException:
        line.close()
        raise
    return line


def connection_words(url: str) -> dict[str, Any]:
    """Return what the driver is told: ours, and over it what the address says.

    Raise ValueError if it says what the driver does not know.
    """
    try:
        return {**CONNECTION, **conninfo_to_dict(url)}
    except psycopg.Error as error:
        raise ValueError(str(error).strip()) from error


class PostgresWriter:
    """Runs transactions side by side, each on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(WRITERS, thread_name_prefix="database")

    async def run(
        self,
        deed: Callable[[Connection], Result],
        *,
        synced: bool,
        seconds: float = LIMIT_SECONDS,
    ) -> Result:
        """Run a deed in a transaction of its own and return what it returned.

        One that met another's is run again; so is one whose line was closed before
        it was to be committed.
        """
        loop = asyncio.get_running_loop()
        limit = Limit()
        timer = loop.call_later(seconds, limit.expire)
        begin = BEGIN if synced else BEGIN_UNSYNCED
        try:
            return await until_done(
                loop.run_in_executor(self._threads, self._run, deed, begin, limit)
            )
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Close the connections and end the threads."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _run(
        self, deed: Callable[[Connection], Result], begin: str, limit: Limit
    ) -> Result:
        for attempt in range(ATTEMPTS):
            if limit.over:
                raise TimeoutError("no connection was free in time")
            committing: list[bool] = []
            try:
                with under(limit), self._engine.connect() as connection:
                    return _transaction(connection, deed, begin, committing)
            except DBAPIError as error:
                if limit.over:
                    raise TimeoutError("it did not answer in time") from error
                if attempt == ATTEMPTS - 1 or not _may_repeat(
                    error, attempt, committing=bool(committing)
                ):
                    raise
            time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * (1 + random.random()))
        raise AssertionError("the last attempt raises")


def _transaction(
    connection: Connection,
    deed: Callable[[Connection], Result],
    begin: str,
    committing: list[bool],
) -> Result:
    """Run a deed between BEGIN and COMMIT; note when COMMIT is sent."""
    line: Any = connection.connection.driver_connection
    try:
        # One trip, and never a prepared statement, for these may be two.
        line.execute(begin, prepare=False)
    except psycopg.Error as error:
        connection.invalidate(error)
        raise _wrapped(begin, error, invalidated=True) from error
    with connection.begin() as transaction:
        done = deed(connection)
        if line.info.transaction_status != TransactionStatus.INTRANS:
            # COMMIT would answer with a ROLLBACK, and look as if all went well.
            transaction.rollback()
            fault = psycopg.errors.InFailedSqlTransaction("a statement had failed")
            raise _wrapped("COMMIT", fault, invalidated=False)
        committing.append(True)
    return done


def _may_repeat(error: DBAPIError, attempt: int, *, committing: bool) -> bool:
    """Return whether nothing was stored for a reason that goes away by itself."""
    if getattr(error.orig, "sqlstate", None) in REPEATED:
        return True
    # Whoever was at COMMIT cannot tell whether it was done.
    return error.connection_invalidated and not committing and attempt == 0


def _wrapped(words: str, error: psycopg.Error, *, invalidated: bool) -> DBAPIError:
    found = DBAPIError.instance(
        words, None, error, psycopg.Error, connection_invalidated=invalidated
    )
    assert isinstance(found, DBAPIError)
    return found


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("agentd_write", False):
        connection.exec_driver_sql(BEGIN)


def _look(line: Any, _record: Any, _proxy: Any) -> None:
    """Refuse a connection on which the server said something by itself: goodbye."""
    driver = getattr(line, "driver_connection", line)
    if driver.closed:
        raise InvalidatePoolError("the connection is closed")
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError("the server closed the connection")
    attach_current(driver)
