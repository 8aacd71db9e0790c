# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is not kept for ever: runs of schedules, old tasks, transcripts left over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from agentd.clock import Clock
from agentd.conversations.turns import Turns
from agentd.database.open import Database
from agentd.database.runs import OldRun, aged_tasks, delete_tasks, surplus_runs
from agentd.database.transcripts import left_transcripts, remove_old
from agentd.errors import AgentdError, ConversationUnknown
from agentd.log import get_log
from agentd.settings import ControlSettings

PAUSE_SECONDS = 600.0
DAY_SECONDS = 86_400.0
BREATH_SECONDS = 0.05
AT_ONCE = 200

log = get_log("retention")


@dataclass(frozen=True)
class Retention:
    """Removes what is too much or too old, a little at a time."""

    settings: ControlSettings
    database: Database
    turns: Turns
    clock: Clock

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.sweep()
            except AgentdError as error:
                log.warning("tasks_not_swept", error=str(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def sweep(self) -> int:
        """Remove what is not kept; return how many tasks that were."""
        keep = self.settings.task_log_retention
        before = self.clock.now() - self.settings.task_retention_days * DAY_SECONDS
        count = await self._drop(lambda c: surplus_runs(c, keep, AT_ONCE))
        count += await self._drop(lambda c: aged_tasks(c, before, AT_ONCE))
        if count:
            log.info("tasks_removed", count=count)
        await self._sweep_transcripts(before)
        return count

    async def _drop(self, find: Callable[[Connection], list[OldRun]]) -> int:
        count = 0
        while True:
            async with self.database.read() as connection:
                old = await connection.run_sync(find)
            removed = await drop_runs(self.database, self.turns, old)
            count += removed
            # What is in use now is left for the next time.
            if removed < AT_ONCE:
                return count
            # Turns come first: the database is theirs in between.
            await asyncio.sleep(BREATH_SECONDS)

    async def _sweep_transcripts(self, before: float) -> None:
        """Remove the stored transcripts of sessions that no conversation has."""
        async with self.database.read() as connection:
            left = await left_transcripts(connection, AT_ONCE)
        if left and (
            count := await self.database.do(lambda c: remove_old(c, left, before))
        ):
            log.info("transcripts_removed", entries=count)


async def drop_runs(database: Database, turns: Turns, old: Sequence[OldRun]) -> int:
    """Remove tasks that ended, and first the conversations that are theirs alone.

    Return how many; a conversation that cannot be removed now keeps its task.
    """
    ids = [one.task_id for one in old if one.conversation_id is None]
    count = 0
    for one in old:
        if one.conversation_id is None:
            continue
        try:
            await turns.resting.remove(one.conversation_id)
            count += 1
        except ConversationUnknown:
            ids.append(one.task_id)
        except AgentdError as error:
            log.info("run_kept", task=one.task_id, reason=str(error))
    if ids:
        count += await database.do(lambda c: delete_tasks(c, ids))
    return count
