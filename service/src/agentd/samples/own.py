# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What control itself takes: the database, and uploaded definitions."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from agentd.database.open import Database
from agentd.database.usage import database_bytes
from agentd.samples.values import Amount, Usage
from agentd.settings import ControlSettings
from agentd.usage.walk import Bounds, Walk

SECONDS = 10.0


async def own_usage(settings: ControlSettings, database: Database, at: float) -> Usage:
    """Return what control takes; raise DatabaseFailed."""
    started = time.monotonic()
    kept = await _database(database)
    walk = Walk({}, Bounds(SECONDS))
    await asyncio.to_thread(walk.add, settings.definitions_directory, "definitions")
    found = walk.amounts["definitions"]
    return Usage(
        at=at,
        areas={"database": kept, "definitions": Amount(found.bytes, found.files)},
        seconds=time.monotonic() - started,
        whole=walk.whole,
        problems=tuple(walk.problems),
    )


async def _database(database: Database) -> Amount:
    if database.path is not None:
        return await asyncio.to_thread(_files, database.path)
    async with database.read() as connection:
        return Amount(bytes=await connection.run_sync(database_bytes))


def _files(path: Path) -> Amount:
    """Count the database with its journal and what was set aside of it."""
    size = files = 0
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if entry.name.startswith(path.name):
                with suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_size
                    files += 1
    return Amount(size, files)
