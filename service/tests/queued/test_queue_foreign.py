# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What others leave in our streams costs control no more than its beginning."""

from __future__ import annotations

from conftest import until
from output.test_output_on_redis import on_redis
from servers.redis import Redis

from agentd.output.redis_address import read_redis_address
from agentd.queue.brokers import streams_of
from agentd.queue.stream_items import MAX_TEXT, StreamNames


async def test_of_a_huge_message_only_the_beginning_is_taken(
    redis_server: Redis,
) -> None:
    """O09: it is told, and its size does not come into control's memory."""
    names = StreamNames("foreign")
    streams = streams_of(read_redis_address(redis_server.url), names, ["main"], "me")
    await streams.startup()
    try:
        with redis_server.client() as client:
            key = names.of("main")[1]
            client.xadd(key, {"data": b"x" * 20_000_000, "rest": b"y"})
            client.xadd(key, {f"field-{number}": b"z" for number in range(1000)})

        huge, wide = await streams.take(2, [("main", 2)])
    finally:
        await streams.shutdown()

    assert huge.task_id is None and wide.task_id is None
    assert len(huge.fields[b"data"]) == 10_000 and huge.fields[b"rest"] == b"y"
    assert len(wide.fields) == 32
    assert len(huge.text) <= MAX_TEXT


async def test_a_key_of_another_type_costs_only_the_output_of_its_task(
    redis_server: Redis,
) -> None:
    """O10: the output of every other task is written all the same."""
    key = "{agentkeep:demo}:output:"
    with redis_server.client() as client:
        client.set(f"{key}taken", "something else")
        async with on_redis(redis_server.url) as output:
            output.say("taken", "chunk", {"text": "lost"})
            output.say("one", "chunk", {"text": "said"})
            await until(lambda: client.xlen(f"{key}one") == 1)
            output.say("taken", "chunk", {"text": "lost"})
            output.say("one", "chunk", {"text": "more"})
            await until(lambda: client.xlen(f"{key}one") == 2)

        assert client.get(f"{key}taken") == b"something else"
