# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Databases are kept, and put back only where their schema moved."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._deploy.release import (
    Release,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    AgentkeepError,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.root import (
    make_tree,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.databases import (  # noqa: E501
    DatabaseDirectory,
    Databases,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.place import (
    Place,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.store import (
    Store,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

WHERE = DatabaseDirectory("database", None, "demo/shared/database")
BEFORE = Release(id="before", services={})
MARK = "after-20260101T000000Z"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the directory of a database with one row."""
    path = tmp_path / "root" / WHERE.path
    path.mkdir(parents=True)
    execute(path, "CREATE TABLE kept (word TEXT)", "INSERT INTO kept VALUES ('old')")
    return path


@pytest.fixture
def databases(tmp_path: Path, directory: Path) -> Iterator[Databases]:
    """Return what keeps them."""
    assert directory.is_dir()
    with make_tree(str(tmp_path / "root"), 0o755) as tree:
        yield Databases(Store(Place(tree), "demo"))


def execute(directory: Path, *statements: str) -> None:
    """Change the database, and leave what it wrote in its log as a kill would."""
    connection = sqlite3.connect(directory / "one.db")
    connection.execute("PRAGMA journal_mode = WAL")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def words(path: Path) -> list[str]:
    """Return the rows."""
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute("SELECT word FROM kept")]
    connection.close()
    return found


def test_new_rows_are_no_reason_to_put_a_database_back(
    databases: Databases, directory: Path
) -> None:
    databases.copy(BEFORE, (WHERE,))
    execute(directory, "INSERT INTO kept VALUES ('new')")

    assert databases.moved(BEFORE, (WHERE,)) == ()


def test_a_schema_that_moved_goes_back_and_the_failed_one_stays_beside_it(
    databases: Databases, directory: Path
) -> None:
    databases.copy(BEFORE, (WHERE,))
    execute(directory, "ALTER TABLE kept ADD more TEXT", "DELETE FROM kept")

    (moved,) = databases.moved(BEFORE, (WHERE,))
    databases.put_back(BEFORE, moved, MARK)

    assert words(directory / "one.db") == ["old"]
    assert words(directory / f"one.db.failed-{MARK}") == []
    assert databases.moved(BEFORE, (WHERE,)) == ()


def test_putting_back_twice_keeps_the_failed_one(
    databases: Databases, directory: Path
) -> None:
    """K15: a kill between the two leaves the failed database as it was."""
    databases.copy(BEFORE, (WHERE,))
    execute(directory, "ALTER TABLE kept ADD more TEXT", "DELETE FROM kept")

    databases.put_back(BEFORE, WHERE, MARK)
    databases.put_back(BEFORE, WHERE, MARK)

    assert words(directory / "one.db") == ["old"]
    assert words(directory / f"one.db.failed-{MARK}") == []


@pytest.mark.parametrize("damage", ["removed", "overwritten"])
def test_a_database_that_is_gone_or_damaged_is_put_back(
    databases: Databases, directory: Path, damage: str
) -> None:
    databases.copy(BEFORE, (WHERE,))
    if damage == "removed":
        (directory / "one.db").unlink()
    else:
        content = (directory / "one.db").read_bytes()
        (directory / "one.db").write_bytes(content[:100] + b"\xff" * 4000)

    (moved,) = databases.moved(BEFORE, (WHERE,))
    databases.put_back(BEFORE, moved, MARK)

    assert words(directory / "one.db") == ["old"]


def test_what_was_never_kept_is_never_put_back(
    databases: Databases, directory: Path
) -> None:
    assert words(directory / "one.db") == ["old"]
    assert databases.moved(BEFORE, (WHERE,)) == ()


def test_half_a_copy_is_removed_so_that_it_takes_no_space(
    databases: Databases, directory: Path, tmp_path: Path
) -> None:
    """K15: on a full file system the containers that go on need what is left."""
    missing = DatabaseDirectory("odd", None, "demo/shared/odd")
    (tmp_path / "root/demo/shared/odd").symlink_to(directory)

    with pytest.raises(AgentkeepError):
        databases.copy(BEFORE, (WHERE, missing))

    assert not (tmp_path / "root/demo/releases/before/database").exists()
