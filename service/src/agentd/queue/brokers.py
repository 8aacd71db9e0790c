# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""taskiq-redis's brokers for Redis, Sentinel and Cluster, with our way to take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from taskiq_redis import (
    RedisStreamBroker,
    RedisStreamClusterBroker,
    RedisStreamSentinelBroker,
)

from agentd.output.redis_address import RedisAddress
from agentd.queue.stream_items import StreamNames
from agentd.queue.streams import GROUP, Streams

CONNECTIONS = 16
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 3.0
AGAIN_SECONDS = 0.05


class PlainStreams(Streams, RedisStreamBroker):
    """On one Redis."""

    def __init__(
        self, address: RedisAddress, names: StreamNames, agents: Sequence[str], me: str
    ) -> None:
        host, port = address.places[0]
        super().__init__(
            f"{'rediss' if address.tls else 'redis'}://{host}:{port}",
            db=address.database,
            max_connection_pool_size=CONNECTIONS,
            **_group(me),
            **_connection(address),
        )
        self.names, self.agents = names, agents
        self.client = Redis(connection_pool=self.connection_pool)


class SentinelStreams(Streams, RedisStreamSentinelBroker):
    """On whichever server the sentinels name the primary."""

    def __init__(
        self, address: RedisAddress, names: StreamNames, agents: Sequence[str], me: str
    ) -> None:
        assert address.primary is not None
        super().__init__(
            list(address.places),
            address.primary,
            db=address.database,
            ssl=address.tls,
            sentinel_kwargs={
                "socket_connect_timeout": CONNECT_SECONDS,
                "socket_timeout": CONNECT_SECONDS,
                "ssl": address.tls,
                # A sentinel that is gone is passed over at once: there are others.
                "retry": Retry(ConstantBackoff(AGAIN_SECONDS), 1),
            },
            **_group(me),
            **_connection(address),
        )
        self.names, self.agents = names, agents
        # The broker itself would make connections anew for each message.
        self.client = self.sentinel.master_for(self.master_name)

    async def shutdown(self) -> None:
        """Close the connections."""
        await self.client.aclose()
        for sentinel in self.sentinel.sentinels:
            await sentinel.aclose()
        await super().shutdown()


class ClusterStreams(Streams, RedisStreamClusterBroker):
    """On the nodes of a cluster."""

    def __init__(
        self, address: RedisAddress, names: StreamNames, agents: Sequence[str], me: str
    ) -> None:
        host, port = address.places[0]
        super().__init__(
            f"{'rediss' if address.tls else 'redis'}://{host}:{port}",
            max_connection_pool_size=CONNECTIONS,
            startup_nodes=[ClusterNode(*place) for place in address.places],
            **_group(me),
            **_connection(address),
        )
        self.names, self.agents = names, agents
        self.client = self.redis


def streams_of(
    address: RedisAddress, names: StreamNames, agents: Sequence[str], me: str
) -> PlainStreams | SentinelStreams | ClusterStreams:
    """Return the streams on the form of Redis that the address names."""
    if address.kind == "sentinel":
        return SentinelStreams(address, names, agents, me)
    if address.kind == "cluster":
        return ClusterStreams(address, names, agents, me)
    return PlainStreams(address, names, agents, me)


def _group(me: str) -> dict[str, Any]:
    return {
        "queue_name": "unused",
        "consumer_group_name": GROUP,
        "consumer_name": me,
        "consumer_id": "0",
        "mkstream": True,
    }


def _connection(address: RedisAddress) -> dict[str, Any]:
    return {
        "username": address.username,
        "password": address.password,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "socket_keepalive": True,
        # One shape of answers, whatever the client's version takes by itself.
        "protocol": 2,
        # A line that the server closed while nobody used it is opened again.
        "retry": Retry(ConstantBackoff(AGAIN_SECONDS), 1),
    }
