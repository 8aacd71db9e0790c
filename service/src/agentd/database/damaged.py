# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A database that SQLite calls damaged is found at start, kept, and replaced.

Never one that is locked, read-only or on a full disk: nothing is wrong with it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
PRIMARY_CODE = 0xFF
KEPT = ".damaged-"
SUFFIXES = ("", "-wal", "-shm")
PROBE_PREFIX = ".agentd-probe-"
# What quick_check says of broken pages; a broken constraint loses nothing.
BROKEN_PAGES = ("***", "Tree", "Page", "Freelist")


def check(path: Path) -> str | None:
    """Return how the database is damaged, or None if nothing says that it is.

    The whole file is read once; what else goes wrong is met again at its opening.
    """
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as connection:
            row = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
        return str(error) if code in DAMAGE else None
    verdict = "ok" if row is None else str(row[0])
    return verdict[:200] if verdict.startswith(BROKEN_PAGES) else None


def set_aside(path: Path) -> Path:
    """Rename the database and what belongs to it; return its new name.

    The name tells when it was written last.
    """
    written = time.gmtime(path.stat().st_mtime)
    kept = _free(path, time.strftime("%Y%m%dT%H%M%SZ", written))
    for suffix in reversed(SUFFIXES):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{kept}{suffix}")
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return kept


def damaged_files(path: Path) -> list[str]:
    """Return the names of the damaged databases that were set aside."""
    kept = path.parent.glob(f"{path.name}{KEPT}*")
    return sorted(one.name for one in kept if not one.name.endswith(SUFFIXES[1:]))


def tidy(directory: Path) -> None:
    """Remove what a probe left behind when its process was killed."""
    for left in directory.glob(f"{PROBE_PREFIX}*"):
        # On a disk that is read-only, opening the database tells it better.
        with suppress(OSError):
            left.unlink()


def _free(path: Path, stamp: str) -> Path:
    kept, number = Path(f"{path}{KEPT}{stamp}"), 1
    while kept.exists():
        number += 1
        kept = Path(f"{path}{KEPT}{stamp}-{number}")
    return kept
