# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQLite databases, kept before a new release may move their schema."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Iterator

from .._deploy.release import Release
from .._errors import AgentkeepError
from .._state.deployment import Deployment
from .store import DATABASES, RELEASES, Store

BEGINNING = b"SQLite format 3\x00"
SIBLINGS = ("", "-wal", "-journal")
SHARED_MEMORY = "-shm"
INSPECTED = "inspected"


@dataclass(frozen=True)
class DatabaseDirectory:
    """Hold a directory with databases: its entry, agent, and path on the host."""

    entry: str
    agent: str | None
    path: str

    @property
    def name(self) -> str:
        """Return what its copy is called; no path of two is the same."""
        return hashlib.sha256(self.path.encode()).hexdigest()[:16]


def database_directories(deployment: Deployment) -> tuple[DatabaseDirectory, ...]:
    """Return every directory that the inventory says holds SQLite databases."""
    return tuple(
        DatabaseDirectory(entry.name, agent.name if agent else None, f"{path}{below}")
        for entry in deployment.inventory.entries
        if entry.backup == "sqlite" and entry.volume is None
        for agent, path in deployment.located(entry)
        for below in ("", *(f"/{one}" for one in entry.directories))
    )


class Databases:
    """Copy databases beside a release, and put them back from there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._place = store.place

    def copy(
        self, release: Release, directories: tuple[DatabaseDirectory, ...]
    ) -> None:
        """Keep the databases as they are, while nobody writes to them."""
        self._place.remove_all(self._kept(release))
        try:
            for one in directories:
                target = f"{self._kept(release)}/{one.name}"
                self._place.make_private(target)
                for name in self._files(one.path):
                    self._place.copy(f"{one.path}/{name}", f"{target}/{name}")
        except AgentkeepError:
            # Half a copy helps nobody, and takes space from the containers.
            self._place.remove_all(self._kept(release))
            raise

    def moved(
        self, release: Release, directories: tuple[DatabaseDirectory, ...]
    ) -> tuple[DatabaseDirectory, ...]:
        """Return where a schema is not what it was when the release ran."""
        there = set(self._place.names(self._kept(release)))
        return tuple(
            one
            for one in directories
            if one.name in there
            and self._schemas(one.path)
            != self._schemas(f"{self._kept(release)}/{one.name}")
        )

    def put_back(
        self, release: Release, directory: DatabaseDirectory, mark: str
    ) -> None:
        """Put the kept databases in place; what is there is kept aside under *mark*.

        It may be called again after it was interrupted: what stands aside stays.
        """
        kept = f"{self._kept(release)}/{directory.name}"
        for name in self._files(directory.path):
            aside = _aside(name, mark)
            if self._place.exists(f"{directory.path}/{aside}"):
                self._place.remove(f"{directory.path}/{name}")
            else:
                self._place.rename(f"{directory.path}/{name}", aside)
        for name in self._databases(kept):
            self._place.remove(f"{directory.path}/{name}{SHARED_MEMORY}")
        for name in reversed(self._files(kept)):
            self._place.copy(f"{kept}/{name}", f"{directory.path}/{name}")

    def _kept(self, release: Release) -> str:
        return self._store.path(RELEASES, release.id, DATABASES)

    def _databases(self, path: str) -> tuple[str, ...]:
        return tuple(
            name
            for name in self._place.regular_names(path)
            if ".failed-" not in name
            and self._place.starts_with(f"{path}/{name}", BEGINNING)
        )

    def _files(self, path: str) -> tuple[str, ...]:
        """Return the databases in a directory, each with what belongs to it."""
        there = set(self._place.regular_names(path))
        names = [
            f"{name}{sibling}"
            for name in self._databases(path)
            for sibling in SIBLINGS
            if f"{name}{sibling}" in there
        ]
        return tuple(dict.fromkeys(names))

    def _schemas(self, path: str) -> dict[str, str]:
        return dict(self._fingerprints(path))

    def _fingerprints(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield each database and what its schema hashes to, read from a copy."""
        work = self._store.path(RELEASES, INSPECTED)
        for name in self._databases(path):
            self._place.remove_all(work)
            self._place.make_private(work)
            for sibling in SIBLINGS:
                if self._place.exists(f"{path}/{name}{sibling}"):
                    self._place.copy(f"{path}/{name}{sibling}", f"{work}/db{sibling}")
            yield name, _fingerprint(self._place.shown(f"{work}/db"), path)
        self._place.remove_all(work)


def _aside(name: str, mark: str) -> str:
    """Return the name under which a failed file stays, its siblings beside it."""
    for sibling in SIBLINGS[1:]:
        if name.endswith(sibling):
            return f"{name[: -len(sibling)]}.failed-{mark}{sibling}"
    return f"{name}.failed-{mark}"


def _fingerprint(path: str, origin: str) -> str:
    """Return the hash of the schema, and of the revision that Alembic wrote down."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        found = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"
        ).fetchall()
        if any(row[:2] == ("table", "alembic_version") for row in found):
            found += connection.execute("SELECT * FROM alembic_version").fetchall()
    except sqlite3.Error as error:
        # Never equal to another one: what cannot be read is put back.
        return f"unreadable in {origin}: {error}"
    finally:
        connection.close()
    return hashlib.sha256(repr(found).encode()).hexdigest()
