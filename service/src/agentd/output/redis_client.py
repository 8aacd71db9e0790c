# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Clients of Redis, Redis Sentinel and Redis Cluster that give up in bounded time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError, RedisClusterException, RedisError

from agentd.output.redis_address import RedisAddress

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
AGAIN_SECONDS = 0.1
# What a command may raise when Redis is away, fails over, or is no Redis at all.
FAILURES = (RedisError, RedisClusterException, OSError, TimeoutError)

Client = Redis | RedisCluster


@asynccontextmanager
async def client_of(address: RedisAddress) -> AsyncIterator[Client]:
    """Give a client; it connects when it is used, and again after a failure."""
    # A username, a database and a password are those of the servers, not of sentinels.
    kept: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "socket_keepalive": True,
        "ssl": address.tls,
        # One shape of answers, whatever the client's version takes by itself.
        "protocol": 2,
        # A connection that was closed is made anew; else whoever asks decides whether
        # to ask again.
        "retry": Retry(ConstantBackoff(AGAIN_SECONDS), 1, (ConnectionError,)),
    }
    async with AsyncExitStack() as opened:
        if address.kind == "cluster":
            nodes = [ClusterNode(host, port) for host, port in address.places]
            cluster: RedisCluster = RedisCluster(startup_nodes=nodes, **kept)
            opened.push_async_callback(cluster.aclose)
            yield cluster
            return
        if address.kind == "sentinel":
            client = await _of_sentinels(address, kept, opened)
        else:
            host, port = address.places[0]
            client = Redis(host=host, port=port, db=address.database, **kept)
        opened.push_async_callback(client.aclose)
        yield client


async def _of_sentinels(
    address: RedisAddress, kept: dict[str, Any], opened: AsyncExitStack
) -> Redis:
    asked = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": CONNECT_SECONDS,
        "ssl": address.tls,
        # The client's own patience with one that is gone is long; there are others.
        "retry": kept["retry"],
    }
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        list(address.places), sentinel_kwargs=asked, db=address.database, **kept
    )
    for one in sentinel.sentinels:
        opened.push_async_callback(one.aclose)
    client: Redis = sentinel.master_for(address.primary)
    return client
