# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The ground that control stands on, or why it cannot start, in its log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from agentd.database.open import Database, open_database
from agentd.errors import DatabaseFailed, HostNameTaken
from agentd.hosts.presence import Presence
from agentd.log import get_log

log = get_log("app")


@asynccontextmanager
async def opened_database(url: str) -> AsyncIterator[Database]:
    """Open the database, or say in the log why control cannot start."""
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(open_database(url))
        except DatabaseFailed as error:
            log.critical("control_cannot_start", error=str(error))
            raise
        yield database


@asynccontextmanager
async def held(presence: Presence) -> AsyncIterator[Presence]:
    """Hold this host's name, or say in the log why control cannot start."""
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(presence)
        except (DatabaseFailed, HostNameTaken) as error:
            log.critical("control_cannot_start", error=str(error))
            raise
        yield presence
