# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Two controls of one deployment, at two hosts, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from control.running_app import Control, Parts, control

LOST_SECONDS = 2.0


def parts(url: str, host: str) -> Parts:
    """Return the parts of a control at that host."""
    settings = {
        "database_url": url,
        "host": host,
        "worker_lost_seconds": LOST_SECONDS,
        "store_sessions": False,
    }
    return Parts(settings=settings)


@asynccontextmanager
async def two_hosts(
    url: str, directory: Path, first: Parts | None = None
) -> AsyncIterator[tuple[Control, Control]]:
    """Run control at host "a" and at host "b"."""
    async with (
        control(directory, first or parts(url, "a")) as a,
        control(directory, parts(url, "b")) as b,
    ):
        yield a, b
