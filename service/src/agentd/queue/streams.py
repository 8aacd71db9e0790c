# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What of the queue is on Redis: one stream for each agent and priority.

taskiq-redis's brokers for Redis, Sentinel and Cluster hold the connections and the
consumer groups. How messages are taken is ours: only as many as there are places
for, the highest priority first, and the same on all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from redis import ResponseError
from taskiq import BrokerMessage

from agentd.queue.stream_items import (
    DATA,
    Item,
    StreamNames,
    by_stream,
    item_of,
    text_of,
)

GROUP = "workers"
TASK_NAME = "task"
WAKE_LENGTH = 100
RECLAIM_COUNT = 100
FORGOTTEN_SECONDS = 3600

# One trip takes for every agent that has places: round by round one message each, so
# that none takes every place, and of each agent from its highest priority. An agent's
# three streams stand one behind the other in KEYS. What others left there may be huge:
# its beginning is enough to tell of it.
TAKE = """
local found, left, more = {}, tonumber(ARGV[3]), true
local may = {}
for i = 1, #KEYS / 3 do may[i] = tonumber(ARGV[3 + i]) end
while left > 0 and more do
  more = false
  for i = 1, #may do
    local got = false
    for rank = 1, 3 do
      if left > 0 and may[i] > 0 and not got then
        local key = KEYS[(i - 1) * 3 + rank]
        local told = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2],
                                'COUNT', 1, 'STREAMS', key, '>')
        if told then
          local entry = told[1][2][1]
          local kept = {}
          for field = 1, math.min(#entry[2], 64) do
            kept[field] = string.sub(entry[2][field], 1, 10000)
          end
          found[#found + 1] = {key, entry[1], kept}
          got, more = true, true
          left, may[i] = left - 1, may[i] - 1
        end
      end
    end
    if not got then may[i] = 0 end
  end
end
return found
"""


class Streams:
    """Publishes, takes and acknowledges, on whatever form of Redis a broker is for."""

    client: Any
    consumer_name: str
    names: StreamNames
    agents: Sequence[str]

    async def _declare_consumer_group(self) -> None:
        """Make the streams and their group where they are not there."""
        for agent in self.agents:
            for stream in self.names.of(agent):
                await self._declare(stream)

    async def _declare(self, stream: str) -> None:
        try:
            await self.client.xgroup_create(stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def kick(self, message: BrokerMessage) -> None:
        """Publish one message."""
        await self.kick_all([message])

    async def kick_all(self, messages: Iterable[BrokerMessage]) -> None:
        """Publish messages in one trip, and have every host look."""
        async with self.client.pipeline(transaction=False) as pipe:
            for message in messages:
                pipe.xadd(message.labels["queue_name"], {DATA: message.message})
            pipe.xadd(self.names.wake, {b"at": b""}, maxlen=WAKE_LENGTH)
            await pipe.execute()

    async def take(self, total: int, places: Sequence[tuple[str, int]]) -> list[Item]:
        """Take messages: so many in all, and so many of each agent at most."""
        keys = [stream for agent, _count in places for stream in self.names.of(agent)]
        counts = [count for _agent, count in places]
        told = await self.client.eval(
            TAKE, len(keys), *keys, GROUP, self.consumer_name, total, *counts
        )
        return [item_of(stream, entry, fields) for stream, entry, fields in told]

    async def acknowledge(self, items: Iterable[Item]) -> None:
        """Forget messages: what became of their tasks is in the table."""
        async with self.client.pipeline(transaction=False) as pipe:
            for stream, entries in by_stream(items).items():
                pipe.xack(stream, GROUP, *entries)
                pipe.xdel(stream, *entries)
            await pipe.execute()

    async def keep(self, items: Iterable[Item]) -> None:
        """Say that the tasks of these messages still run here."""
        async with self.client.pipeline(transaction=False) as pipe:
            for stream, entries in by_stream(items).items():
                pipe.xclaim(
                    stream, GROUP, self.consumer_name, 0, list(entries), justid=True
                )
            await pipe.execute()

    async def reclaim(self, idle_seconds: float) -> list[Item]:
        """Take the messages over of which nobody said for so long that they run."""
        idle = round(idle_seconds * 1000)
        found: list[Item] = []
        for agent in self.agents:
            for stream in self.names.of(agent):
                told = await self.client.xautoclaim(
                    stream, GROUP, self.consumer_name, idle, count=RECLAIM_COUNT
                )
                found += [
                    item_of(stream, entry, kept) for entry, kept in told[1] if kept
                ]
        return found

    async def forget_consumers(self) -> None:
        """Remove the names of processes that are long gone."""
        for agent in self.agents:
            for stream in self.names.of(agent):
                for one in await self.client.xinfo_consumers(stream, GROUP):
                    gone = one["idle"] > FORGOTTEN_SECONDS * 1000
                    if gone and one["pending"] == 0:
                        await self.client.xgroup_delconsumer(stream, GROUP, one["name"])

    async def last_wake(self) -> str:
        """Return up to where the wake stream was written."""
        told = await self.client.xrevrange(self.names.wake, count=1)
        return text_of(told[0][0]) if told else "0-0"

    async def wait(self, last: str, seconds: float) -> str:
        """Wait until something is published; return up to where that was heard."""
        told = await self.client.xread(
            {self.names.wake: last}, block=round(seconds * 1000)
        )
        return text_of(told[0][1][-1][0]) if told else last


def message_of(stream: str, task_id: str) -> BrokerMessage:
    """Return what travels: the id of a task."""
    return BrokerMessage(
        task_id=task_id,
        task_name=TASK_NAME,
        message=task_id.encode(),
        labels={"queue_name": stream},
    )
