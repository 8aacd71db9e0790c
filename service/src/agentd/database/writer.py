# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whole transactions that run in threads of their own.

Each statement of an asynchronous connection is a trip to a thread and back; a turn
makes one trip for each of its transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")
# What a deed is given: it passes it on to the functions of this package.
Transaction = Connection

LIMIT_SECONDS = 15.0


class Writer(Protocol):
    """Runs transactions; cancelling does not cut one in two."""

    async def run(
        self,
        deed: Callable[[Connection], Result],
        *,
        synced: bool,
        seconds: float = LIMIT_SECONDS,
    ) -> Result:
        """Run a deed in a transaction of its own and return what it returned.

        One that is not synced survives the end of the process, and an end of the
        power only once a later one was synced.
        """

    async def close(self) -> None:
        """Close the connections and end the threads."""


async def until_done(done: asyncio.Future[Result]) -> Result:
    """Wait for a transaction; if cancelled, until it is done or undone.

    The thread goes on, and whoever comes next finds it so.
    """
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        with suppress(Exception):
            await done
        raise
