# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whether the database and its directory can really be written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sqlalchemy import Connection

from agentd.database.insert import insert_into
from agentd.database.open import Database
from agentd.database.tables import probes

PROBE_SECONDS = 3.0


async def probe_database(database: Database, now: float) -> None:
    """Write a row and commit it; raise DatabaseFailed if that is impossible."""

    def probe(connection: Connection) -> None:
        statement = insert_into(connection, probes).values(id=1, at=now)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[probes.c.id], set_={"at": now}
            )
        )

    if database.shared:
        await database.do(probe, seconds=PROBE_SECONDS)
        return
    async with database.write() as connection:
        await connection.run_sync(probe)


def probe_directory(directory: Path) -> None:
    """Write, sync and remove a file there; raise OSError if that is impossible."""
    descriptor, name = tempfile.mkstemp(prefix=".agentd-probe-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"probe" * 1024)
            file.flush()
            os.fsync(file.fileno())
    finally:
        Path(name).unlink(missing_ok=True)
