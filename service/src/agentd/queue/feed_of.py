# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The feed of a control that has Redis, and what is done beside it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from agentd.errors import DatabaseFailed
from agentd.log import get_log
from agentd.queue.dead import bury, tell
from agentd.queue.parts import QueueParts
from agentd.settings import read_secret

if TYPE_CHECKING:
    # Whoever has no Redis does not carry its client.
    from agentd.queue.feed import Feed

# Of the time after which a message is taken from a worker that does not keep it.
KEEP_SHARE = 1 / 3

log = get_log("queue")


def feed_of(parts: QueueParts) -> Feed | None:
    """Return what comes through Redis, or None without an address of it."""
    settings = parts.settings
    if settings.redis_url_file is None:
        return None
    from agentd.output.redis_address import read_redis_address
    from agentd.queue.feed import Feed
    from agentd.queue.stream_items import StreamNames

    url = read_secret(settings.redis_url_file, "redis_url_file")
    return Feed(
        read_redis_address(url),
        StreamNames(settings.deployment),
        [agent.name for agent in settings.agents],
        parts.presence.instance,
        parts.clock,
    )


async def tend(parts: QueueParts, feed: Feed) -> None:
    """Keep the messages of what runs, and sort out those that nobody keeps."""
    idle = parts.settings.worker_lost_seconds
    while True:
        await asyncio.sleep(idle * KEEP_SHARE)
        items = await feed.tend(idle)
        now = parts.clock.now()
        try:
            dead = await parts.database.do(partial(bury, items=items, now=now))
        except DatabaseFailed as error:
            log.warning("messages_not_sorted_out", error=str(error))
            continue
        tell(dead, parts.watch)
        # The table has what is to be run; the message is of no more use.
        feed.drop(items)
