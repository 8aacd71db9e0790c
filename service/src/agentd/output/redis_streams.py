# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The output of tasks on Redis: one stream for each, joined from any host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from agentd.clock import Clock
from agentd.errors import QueueUnavailable
from agentd.log import get_log
from agentd.output.pieces import END
from agentd.output.protocol import OutputEvent
from agentd.output.redis_address import read_redis_address
from agentd.output.redis_client import FAILURES, Client, client_of
from agentd.output.redis_reading import Reading
from agentd.output.redis_writing import Writing
from agentd.output.taking import JOIN_SECONDS, Taking
from agentd.queue.workers import end_all
from agentd.settings import ControlSettings

LAST_WORDS_SECONDS = 2.0
MAX_PAUSE_SECONDS = 5.0

log = get_log("output")


class RedisOutput(Taking):
    """Writes what tasks say to Redis, in batches and beside the tasks."""

    def __init__(self, url: str, settings: ControlSettings, clock: Clock) -> None:
        super().__init__(settings.output_ttl_seconds, clock)
        self._address = read_redis_address(url)
        self._prefix = f"{{agentkeep:{settings.deployment}}}:output:"
        self._dismissed = False
        self._running = AsyncExitStack()
        self._client: Client | None = None
        self._writing: Writing | None = None

    async def __aenter__(self) -> RedisOutput:
        self._client = await self._running.enter_async_context(client_of(self._address))
        self._writing = Writing(
            self._client, self._prefix, self._held, self._ttl_seconds
        )
        tasks = await self._running.enter_async_context(asyncio.TaskGroup())
        writing = tasks.create_task(self._write())
        self._running.push_async_callback(end_all, [writing])
        return self

    async def __aexit__(self, *details: object) -> None:
        self.dismiss()
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self._flush()
        except FAILURES as error:
            log.warning("last_output_lost", error=str(error))
        finally:
            await self._running.aclose()

    def dismiss(self) -> None:
        """Let every reader come to an end."""
        self._dismissed = True

    async def read(
        self, task_id: str, after: str | None, patience_seconds: float
    ) -> AsyncGenerator[OutputEvent | None, None]:
        """Return the events of a task until its end, whichever host runs it."""
        assert self._client is not None
        reading = Reading(self._client, self._prefix + task_id, after)
        heard_at = time.monotonic() - patience_seconds
        while not self._dismissed:
            try:
                events = await reading.some()
            except FAILURES as error:
                raise QueueUnavailable(
                    f'Cannot read the output of task "{task_id}": Redis at '
                    f"{self._address.where} does not answer. Try again shortly."
                ) from error
            for event in events:
                yield event
                if event.event == END:
                    return
            if events:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at >= patience_seconds:
                heard_at = time.monotonic()
                yield None

    async def _flush(self) -> None:
        assert self._writing is not None
        await self._writing.write(self._held.take_changed())

    async def _write(self) -> None:
        """Write what was said; while Redis is away the latest is kept here."""
        pause = JOIN_SECONDS
        while True:
            if await self._more():
                await asyncio.sleep(pause)
            self._said.clear()
            try:
                await self._flush()
            except FAILURES as error:
                if pause == JOIN_SECONDS:
                    log.warning("output_not_written", error=str(error))
                pause = min(max(pause * 2, 0.5), MAX_PAUSE_SECONDS)
                self._said.set()
                continue
            if pause != JOIN_SECONDS:
                log.info("output_written_again")
            pause = JOIN_SECONDS
            self._held.forget_older(self._oldest())
