# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What comes and goes through Redis, beside the table that is the truth.

Whatever Redis loses, says twice or keeps for itself, the table says what is so: a
message is only a hint of a task. While Redis is away the table alone is asked.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from redis.exceptions import ResponseError
from taskiq import BrokerMessage

from agentd.clock import Clock
from agentd.errors import QueueUnavailable
from agentd.log import get_log
from agentd.output.redis_address import RedisAddress
from agentd.output.redis_client import FAILURES
from agentd.queue.brokers import streams_of
from agentd.queue.stream_items import Item, StreamNames
from agentd.queue.streams import message_of
from agentd.queue.values import RANKS, Task

HEAR_SECONDS = 1.0
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.1, 2.0
ANSWER_SECONDS = 2.0
MAX_BATCH = 500
MAX_WAITING = 10_000
FORGET_EVERY_SECONDS = 3600.0

log = get_log("queue")


class Listener(Protocol):
    """Who takes what is published."""

    def wake(self) -> None:
        """Look whether more was published."""

    def look(self) -> None:
        """Look whether the table has more: Redis came, went, or lost something."""


class Feed:
    """Publishes tasks, takes those that others published, and acknowledges them."""

    def __init__(
        self,
        address: RedisAddress,
        names: StreamNames,
        agents: Sequence[str],
        me: str,
        clock: Clock,
    ) -> None:
        self._address = address
        self._names = names
        self._clock = clock
        self._streams = streams_of(address, names, agents, me)
        self._out: deque[Task] = deque()
        self._done: deque[Item] = deque()
        self._work = asyncio.Event()
        self._held: dict[str, Item] = {}
        self._forgot = float("-inf")
        self.kind = address.kind
        self.reachable = False
        self.problem: str | None = None

    async def hear(self, listener: Listener) -> None:
        """Tell the listener whenever something is published, until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._streams.startup()
                last = await self._streams.last_wake()
                self._back()
                listener.look()
                while True:
                    pause = FIRST_PAUSE_SECONDS
                    heard = await self._streams.wait(last, HEAR_SECONDS)
                    if not self.reachable:
                        break
                    if heard != last:
                        last = heard
                        listener.wake()
            except FAILURES as error:
                self._away(error)
                listener.look()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE_SECONDS)

    async def take(self, total: int, places: Sequence[tuple[str, int]]) -> list[Item]:
        """Take messages for the places that are free.

        Raise QueueUnavailable if Redis went away, or lost what it had.
        """
        try:
            return await self._streams.take(total, places)
        except FAILURES as error:
            if isinstance(error, ResponseError) and "NOGROUP" in str(error):
                # Somebody emptied it. What was in it is in the table too.
                await self._declare()
            else:
                self._away(error)
            raise self._unavailable(error) from error

    async def _declare(self) -> None:
        try:
            await self._streams.startup()
        except FAILURES as error:
            self._away(error)

    def _unavailable(self, error: Exception) -> QueueUnavailable:
        return QueueUnavailable(
            f"Cannot reach Redis at {self._address.where}: {_told(error)}. Check that "
            "it runs, and the address in redis_url_file. Tasks go on without it, from "
            "the database."
        )

    def publish(self, task: Task, now: float) -> bool:
        """Publish a task shortly; return whether that will be tried.

        What Redis does not take is in the table all the same.
        """
        late = task.available_at > now
        if not self.reachable or late or len(self._out) >= MAX_WAITING:
            return False
        self._out.append(task)
        self._work.set()
        return True

    def hold(self, task_id: str, item: Item) -> None:
        """Note that the task of a message runs here."""
        self._held[task_id] = item

    def release(self, task_id: str) -> None:
        """Acknowledge the message of a task whose end is stored, or not to be known."""
        if (item := self._held.pop(task_id, None)) is not None:
            self.drop([item])

    def drop(self, items: Iterable[Item]) -> None:
        """Acknowledge messages shortly; one that Redis keeps comes again."""
        self._done.extend(items)
        while len(self._done) > MAX_WAITING:
            self._done.popleft()
        self._work.set()

    async def write(self, listener: Listener) -> None:
        """Publish and acknowledge what waits, in batches, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self._flush(listener)
            except FAILURES as error:
                self._away(error)
                self._out.clear()
                self._done.clear()
                listener.look()

    async def _flush(self, listener: Listener | None = None) -> None:
        while self._out or self._done:
            tasks = [self._out.popleft() for _index in range(_some(self._out))]
            items = [self._done.popleft() for _index in range(_some(self._done))]
            if tasks:
                await self._streams.kick_all(map(self._message, tasks))
                if listener is not None:
                    listener.wake()
            if items:
                await self._streams.acknowledge(items)

    def _message(self, task: Task) -> BrokerMessage:
        stream = self._names.of(task.agent)[RANKS[task.priority]]
        return message_of(stream, task.id)

    async def tend(self, idle_seconds: float) -> list[Item]:
        """Keep what runs here, and return what nobody kept for so long."""
        if not self.reachable:
            return []
        try:
            await self._streams.keep(list(self._held.values()))
            found = await self._streams.reclaim(idle_seconds)
            if self._clock.monotonic() - self._forgot > FORGET_EVERY_SECONDS:
                self._forgot = self._clock.monotonic()
                await self._streams.forget_consumers()
        except FAILURES as error:
            self._away(error)
            return []
        held = {(one.stream, one.entry) for one in self._held.values()}
        return [one for one in found if (one.stream, one.entry) not in held]

    async def check(self) -> None:
        """Raise QueueUnavailable if Redis does not answer now."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._streams.last_wake()
        except FAILURES as error:
            raise self._unavailable(error) from error

    async def close(self) -> None:
        """Acknowledge what waits, and close the connections."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self.reachable:
                    await self._flush()
        except FAILURES as error:
            self._away(error)
        await self._streams.shutdown()

    def _back(self) -> None:
        if self.problem is not None:
            log.info("redis_back", where=self._address.where)
        self.reachable, self.problem = True, None

    def _away(self, error: Exception) -> None:
        if self.problem is None:
            log.error("redis_away", where=self._address.where, error=_told(error))
        self.reachable, self.problem = False, _told(error)


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _some(waiting: deque[Task] | deque[Item]) -> int:
    return min(len(waiting), MAX_BATCH)
