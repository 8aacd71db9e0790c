# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A real PostgreSQL server, with a new database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from .programs import end, free_ports, private_directory, run, start, until

USER, PASSWORD = "agentkeep", "s3cret-postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "jit": "off",
}


@dataclass
class Postgres:
    """One server that keeps what it acknowledged; it may be stopped and killed.

    Tests end its processes and not the machine: without ``synced`` the disk is not
    waited for, and it is soon back after a crash, however many databases it has.
    """

    port: int
    directory: Path
    synced: bool = False
    process: subprocess.Popen[bytes] | None = None
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def make(self) -> None:
        """Make its data directory."""
        secret = self.directory / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        run(
            *("initdb", "--pgdata", str(self.directory / "data"), "--no-instructions"),
            *("--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--no-locale", "--no-sync"),
            directory=self.directory,
        )

    def start(self) -> None:
        words = ["postgres", "-D", str(self.directory / "data"), "-p", str(self.port)]
        synced = {"fsync": "on" if self.synced else "off"}
        for name, value in {**SETTINGS, **synced}.items():
            words += ["-c", f"{name}={value}"]
        self.process = start(words, self.directory, "postgres")
        until(self.answers, f"PostgreSQL on port {self.port}")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=2):
                return True
        except psycopg.Error:
            return False

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def end_sessions(self, url: str) -> int:
        """End every session on a database, as an operator would; return how many."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s",
                [url.rpartition("/")[2]],
            ).fetchall()
        return len(ended)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it: SIGINT is a fast stop, SIGQUIT a crash of all its processes."""
        assert self.process is not None
        end(self.process, number)

    def cut(self) -> None:
        """Cut it off: connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def join(self) -> None:
        """End the cut."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in (self.process.pid, *map(int, children.read_text().split())):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def remove(self) -> None:
        """Remove what it wrote."""
        shutil.rmtree(self.directory, ignore_errors=True)


def one_postgres(*, synced: bool = False) -> Postgres:
    """Make and start a server."""
    directory = private_directory("postgres")
    server = Postgres(free_ports(1)[0], directory, synced)
    server.make()
    server.start()
    return server
