# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What agents have used, on disk: one small SQLite file, written by increments."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from agentd.errors import DatabaseFailed
from agentd.gateway.account import MAX_SESSIONS, Account, Unwritten
from agentd.gateway.status import USAGE_NAMES, SessionUsage, Usage
from agentd.log import get_log

FILE_NAME = "usage.db"
SCHEMA = 1
BUSY_SECONDS = 5.0
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
COLUMNS = ", ".join(USAGE_NAMES)
_TYPED = ", ".join(f"{name} NUMERIC NOT NULL" for name in USAGE_NAMES)
_VALUES = ", ".join("?" for _name in USAGE_NAMES)
_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name in USAGE_NAMES)
_TABLES = f"""
CREATE TABLE IF NOT EXISTS days (agent TEXT, day TEXT, {_TYPED},
    PRIMARY KEY (agent, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (agent TEXT, session TEXT,
    first_at REAL NOT NULL, last_at REAL NOT NULL, {_TYPED},
    PRIMARY KEY (agent, session)) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA};
"""
_ADD_DAY = (
    f"INSERT INTO days (agent, day, {COLUMNS}) VALUES (?, ?, {_VALUES})"
    f" ON CONFLICT DO UPDATE SET {_ADDED}"
)
_ADD_SESSION = (
    f"INSERT INTO sessions (agent, session, first_at, last_at, {COLUMNS})"
    f" VALUES (?, ?, ?, ?, {_VALUES})"
    f" ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at), {_ADDED}"
)
_FORGET = (
    "DELETE FROM sessions WHERE agent = ?1 AND session NOT IN (SELECT session"
    f" FROM sessions WHERE agent = ?1 ORDER BY last_at DESC LIMIT {MAX_SESSIONS})"
)

_log = get_log("gateway")


class UsageStore:
    """Keeps the usage of every agent; not to be used by two threads at once."""

    def __init__(self, directory: Path) -> None:
        """Open the file; raise DatabaseFailed if nothing can be kept there."""
        self.path = directory / FILE_NAME
        self.set_aside: Path | None = None
        try:
            try:
                self._connection = self._open()
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", None) not in DAMAGED:
                    raise
                self._set_aside(error)
                self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            raise DatabaseFailed(
                f'Cannot keep the usage of agents in "{self.path}": {error}. See that '
                f"uid {os.geteuid()} may write the directory and that it has space, "
                "or set usage_directory."
            ) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            damage = sqlite3.DatabaseError(found)
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise DatabaseFailed(
                f'Cannot use "{self.path}": a newer version of agentd wrote it '
                f"(schema {version}, this one knows {SCHEMA}). Deploy that version."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        # A process that is killed loses nothing by this; a machine may lose the end.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_TABLES)

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.set_aside = self.path.with_name(f"{FILE_NAME}.damaged-{stamp}")
        self.path.rename(self.set_aside)
        for suffix in ("-wal", "-shm"):
            beside = self.path.with_name(FILE_NAME + suffix)
            if beside.exists():
                beside.rename(f"{self.set_aside}{suffix}")
        _log.error(
            "usage_damaged",
            path=str(self.path),
            kept=str(self.set_aside),
            why=f"{error}",
        )

    def restore(self, accounts: Mapping[str, Account]) -> None:
        """Give every account what it had used before."""
        for agent, day, usage in self._days():
            if agent in accounts:
                accounts[agent].restore(day, usage)
        for agent, session in self._sessions():
            if agent in accounts:
                accounts[agent].restore_session(session)

    def _days(self) -> Iterator[tuple[str, str, Usage]]:
        query = f"SELECT agent, day, {COLUMNS} FROM days ORDER BY day"
        with closing(self._connection.execute(query)) as rows:
            for agent, day, *numbers in rows:
                yield agent, day, Usage(*numbers)

    def _sessions(self) -> Iterator[tuple[str, SessionUsage]]:
        query = f"SELECT agent, session, first_at, last_at, {COLUMNS} FROM sessions"
        with closing(self._connection.execute(f"{query} ORDER BY last_at")) as rows:
            for agent, session, first, last, *numbers in rows:
                yield agent, SessionUsage(session, first, last, Usage(*numbers))

    def write(self, unwritten: Mapping[str, Unwritten]) -> None:
        """Add what was counted, all of it or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for agent, counted in unwritten.items():
                self._add(agent, counted)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _add(self, agent: str, counted: Unwritten) -> None:
        self._connection.executemany(
            _ADD_DAY,
            ((agent, day, *_numbers(usage)) for day, usage in counted.days.items()),
        )
        if not counted.sessions:
            return
        self._connection.executemany(
            _ADD_SESSION,
            (
                (agent, name, one.first_at, one.last_at, *_numbers(one.usage))
                for name, one in counted.sessions.items()
            ),
        )
        self._connection.execute(_FORGET, (agent,))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _numbers(usage: Usage) -> tuple[float, ...]:
    return tuple(getattr(usage, name) for name in USAGE_NAMES)
