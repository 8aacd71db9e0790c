# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Live output on real Redis servers, read and written by several hosts."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
from servers.redis import Cluster, Redis, Sentinels

from agentd.clock import Clock
from agentd.errors import QueueUnavailable
from agentd.output.held import MAX_CHARACTERS, MAX_EVENTS
from agentd.output.redis_streams import RedisOutput
from agentd.settings import AgentEntry, ControlSettings

from .reading import read_all

KEY = "{agentkeep:demo}:output:one"
LONG = 100


def on_redis(url: str, clock: Clock | None = None, **settings: Any) -> RedisOutput:
    """Return the output of one host."""
    values = ControlSettings(
        component="control",
        deployment="demo",
        listen_host="127.0.0.1",
        agents=[AgentEntry(name="main")],
        **settings,
    )
    return RedisOutput(url, values, clock or Clock())


async def until_written(server: Redis, count: int, seconds: float = 10) -> None:
    """Wait until that many events are on the server."""
    async with asyncio.timeout(seconds):
        with server.client() as client:
            while client.xlen(KEY) < count:
                await asyncio.sleep(0.02)


@pytest.fixture(params=["redis_server", "sentinels", "cluster"])
def any_redis(request: pytest.FixtureRequest) -> Redis | Sentinels | Cluster:
    """Each kind of Redis that an address may name."""
    found: Redis | Sentinels | Cluster = request.getfixturevalue(request.param)
    return found


async def test_another_host_joins_late_and_early_alike(
    any_redis: Redis | Sentinels | Cluster,
) -> None:
    async with on_redis(any_redis.url) as here, on_redis(any_redis.url) as there:
        async with asyncio.TaskGroup() as tasks:
            early = tasks.create_task(read_all(there, quiet=LONG))
            here.say("one", "chunk", {"text": "man"})
            here.say("one", "chunk", {"text": "go"})
            await asyncio.sleep(0.2)
            here.say("one", "chunk", {"text": " tango"})
            here.end("one", {"status": "completed"})
        late = await read_all(there, quiet=LONG)
        back = await read_all(there, after=late[0].id, quiet=LONG)

    assert [(one.event, one.data) for one in late] == [
        ("chunk", {"text": "mango"}),
        ("chunk", {"text": " tango"}),
        ("end", {"status": "completed"}),
    ]
    assert (early.result(), back) == (late, late[1:])


async def test_output_stays_as_long_as_told_and_not_longer(redis_server: Redis) -> None:
    """O10: the stream of a task has a time to live, 3600 s by default."""
    async with on_redis(redis_server.url) as output:
        output.say("one", "chunk", {"text": "mango"})
        await until_written(redis_server, 1)
        with redis_server.client() as client:
            by_default = client.ttl(KEY)
    async with on_redis(redis_server.url, output_ttl_seconds=0.3) as output:
        output.end("one", {})
        await until_written(redis_server, 2)
        await asyncio.sleep(0.5)
        with redis_server.client() as client:
            left = client.exists(KEY)

    assert 3590 <= by_default <= 3600
    assert left == 0


async def test_a_flood_is_bounded_on_the_server(redis_server: Redis) -> None:
    async with on_redis(redis_server.url) as output:
        for number in range(4):
            for _piece in range(MAX_EVENTS // 2):
                output.say("one", "note", {"number": number, "words": "x" * 400})
            await until_written(redis_server, 1)
            await asyncio.sleep(0.3)
        output.end("one", {})
        found = await read_all(output, quiet=LONG)

    characters = sum(len(str(one.data)) for one in found)
    assert found[0].event == "gap"
    assert found[-1].event == "end"
    assert len(found) <= MAX_EVENTS + 100
    assert characters <= MAX_CHARACTERS * 1.2


async def test_nothing_is_lost_while_redis_is_cut_off_shortly(
    redis_server: Redis,
) -> None:
    async with on_redis(redis_server.url) as output:
        output.say("one", "chunk", {"text": "before"})
        await until_written(redis_server, 1)
        redis_server.stop(signal.SIGKILL)
        output.say("one", "note", {"while": "away"})
        with pytest.raises(QueueUnavailable, match='output of task "one": Redis at'):
            await read_all(output)
        await asyncio.sleep(0.3)
        redis_server.start()
        output.end("one", {})
        found = await read_all(output, quiet=10 * LONG)

    assert [one.event for one in found] == ["chunk", "note", "end"]


async def test_a_redis_that_is_cut_off_stops_nobody_for_long(
    redis_server: Redis,
) -> None:
    async with on_redis(redis_server.url) as output:
        output.say("one", "note", {})
        await until_written(redis_server, 1)
        redis_server.cut()
        try:
            output.say("one", "note", {})
            async with asyncio.timeout(8):
                with pytest.raises(QueueUnavailable):
                    await read_all(output)
        finally:
            redis_server.join()
        output.end("one", {})
        found = await read_all(output, quiet=10 * LONG)

    assert [one.event for one in found] == ["note", "note", "end"]


async def test_a_reader_goes_on_after_the_primary_was_lost(
    sentinels: Sentinels,
) -> None:
    first = sentinels.primary
    async with on_redis(sentinels.url) as output, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read_all(output, quiet=10 * LONG))
        output.say("one", "note", {"on": "the first"})
        await until_written(first, 1)
        first.stop(signal.SIGKILL)
        output.say("one", "note", {"on": "the second"})
        await asyncio.to_thread(sentinels.until_primary_is_not, first)
        output.end("one", {})

    told = [(one.event, one.data.get("on")) for one in reading.result()]
    assert told[-2:] == [("note", "the second"), ("end", None)]


async def test_a_task_that_is_run_again_goes_on_behind_what_was_said(
    redis_server: Redis,
) -> None:
    """O07: the second host's clock is behind the first's."""
    early = Clock(now=lambda: 1_700_000_000.0)
    later = Clock(now=lambda: 1_700_000_100.0)
    async with (
        on_redis(redis_server.url, later) as first,
        on_redis(redis_server.url, early) as second,
    ):
        first.say("one", "note", {"attempt": 1})
        await until_written(redis_server, 1)
        second.say("one", "note", {"attempt": 2})
        await until_written(redis_server, 2)
        # The first was only slow; whatever it still says comes too late.
        first.say("one", "note", {"attempt": 1, "late": True})
        await asyncio.sleep(0.3)
        second.end("one", {})
        found = await read_all(first, quiet=LONG)

    told = [(one.event, one.data.get("attempt")) for one in found]
    assert told == [("note", 1), ("note", 2), ("end", None)]


async def test_what_others_write_to_the_same_redis_breaks_no_reader(
    redis_server: Redis,
) -> None:
    with redis_server.client() as client:
        client.xadd(KEY, {"data": b"\xff[[[["}, id="1-1")
        client.xadd(KEY, {"event": "x\ndata: 7", "data": "[" * 50_000}, id="1-2")
        client.xadd(KEY, {"event": "end", "data": "7"}, id="1-3")
    async with on_redis(redis_server.url) as output:
        found = await read_all(output, quiet=LONG)

    assert [(one.event, dict(one.data)) for one in found] == [
        *(("unknown", {}), ("unknown", {}), ("end", {}))
    ]


async def test_readers_on_redis_end_when_the_service_stops(redis_server: Redis) -> None:
    async with on_redis(redis_server.url) as output, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read_all(output, quiet=10_000))
        await asyncio.sleep(0.1)
        output.dismiss()

    assert reading.result() == []
