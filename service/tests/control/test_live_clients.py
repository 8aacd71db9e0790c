# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Live clients: owned by one task, bounded, closed when idle, ended by a crash."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agentd.engine.client import Background
from agentd.engine.limits import PoolLimits
from agentd.engine.pool import WORKING_TIMES, Pool
from agentd.engine.pooled import PooledEngine
from agentd.engine.protocol import Chunk, TurnEvent, TurnOutcome
from agentd.errors import AgentLost, CliFailed, EngineBusy, SessionNotFound
from agentd.sessions.identity import new_session_id

from .fakes import LAST_UUID, FakeClient, FakeClients, wish
from .running_engine import LIMITS, Hand, engine_of, say, silent


async def test_a_turn_tells_its_pieces_and_its_outcome() -> None:
    heard: list[TurnEvent] = []
    wanted = wish()

    async with engine_of(FakeClients()) as engine:
        outcome = await engine.turn(
            wanted,
            "hi",
            heard.append,
            timeout_seconds=5.0,
            message_uuid=new_session_id(),
        )

    assert heard == [Chunk("echo hi")]
    assert outcome == TurnOutcome(
        status="success",
        result="echo hi",
        error=None,
        model="fake",
        session_id=wanted.session_id,
        last_message_uuid=LAST_UUID,
    )


async def test_following_turns_use_the_same_client_in_its_one_task() -> None:
    clients = FakeClients()
    wanted = wish()

    async with engine_of(clients) as engine:
        await say(engine, wanted)
        await say(engine, replace(wanted, resume=True))

    assert len(clients.made) == 1
    assert clients.made[0].names() == ["connect", "say", "say", "disconnect"]
    assert len({task for _unused, task in clients.made[0].calls}) == 1


async def test_another_model_is_set_in_the_live_client() -> None:
    clients = FakeClients()
    wanted = wish()

    async with engine_of(clients) as engine:
        await say(engine, wanted)
        await say(engine, replace(wanted, model="other"))
        await say(engine, replace(wanted, model="other"))

    assert len(clients.made) == 1
    assert clients.made[0].models == ["other"]


async def test_another_thinking_budget_starts_another_client() -> None:
    clients = FakeClients()
    wanted = wish()

    async with engine_of(clients) as engine:
        await say(engine, wanted)
        await say(engine, replace(wanted, thinking_tokens=2048, resume=True))

    assert [client.wish.thinking_tokens for client in clients.made] == [None, 2048]
    assert clients.made[0].names()[-1] == "disconnect"


async def test_the_least_recently_used_idle_client_makes_room() -> None:
    clients, clock = FakeClients(), Hand()

    async with engine_of(clients, clock=clock) as engine:
        for number, name in enumerate(("a", "b", "a", "c")):
            clock.now = float(number)
            await say(engine, wish(name, session_id=f"session-{name}"))

        assert engine.live("a") == "session-a"
        assert engine.live("b") is None
        assert engine.live("c") == "session-c"
        assert engine.live_counts() == {"main": 2}


async def test_no_client_is_started_while_all_are_in_a_turn() -> None:
    clients = FakeClients(silent)
    limits = replace(LIMITS, max_waiting=0)

    async with engine_of(clients, limits) as engine, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(say(engine, wish(name))) for name in "ab"]
        await asyncio.sleep(0.01)

        assert not engine.has_room("main", "c")
        with pytest.raises(EngineBusy, match="max_live_clients"):
            await say(engine, wish("c"))
        for task in running:
            task.cancel()


async def test_starts_are_bounded() -> None:
    gates = asyncio.Event()

    def slow(client: FakeClient) -> None:
        client.connecting = gates

    clients = FakeClients(slow)
    limits = PoolLimits(max_live=5, max_starting=2, idle_seconds=100.0)

    async with engine_of(clients, limits) as engine, asyncio.TaskGroup() as tasks:
        for name in "abcde":
            tasks.create_task(say(engine, wish(name)))
        await asyncio.sleep(0.01)
        connecting = [client.names() for client in clients.made].count(["connect"])
        gates.set()

    assert connecting == 2
    assert all("say" in client.names() for client in clients.made)


async def test_idle_clients_are_closed_and_busy_ones_are_not() -> None:
    clients, clock = FakeClients(), Hand()

    async with PooledEngine(pool := Pool(clients, LIMITS, clock)) as engine:
        await say(engine, wish("a"))
        clock.now = 99.0
        assert await pool.close_idle() == 0
        clock.now = 100.0
        assert await pool.close_idle() == 1
        assert engine.live("a") is None


async def test_a_client_that_works_in_the_background_idles_longer() -> None:
    clients, clock = FakeClients(), Hand()

    async with PooledEngine(pool := Pool(clients, LIMITS, clock)) as engine:
        await say(engine, wish("a"))
        await say(engine, wish("b"))
        clients.made[0].inbox.put_nowait(Background(1))
        await asyncio.sleep(0.01)
        clock.now = LIMITS.idle_seconds
        assert await pool.close_idle() == 1
        assert engine.live("a") is not None
        await say(engine, wish("c"))
        await say(engine, wish("d"))
        assert (engine.live("a") is not None, engine.live("c")) == (True, None)
        clock.now = WORKING_TIMES * LIMITS.idle_seconds
        assert await pool.close_idle() == 2
        assert engine.live("a") is None


async def test_a_turn_out_of_time_is_interrupted_and_its_client_closed() -> None:
    """J08: time-out gives the status timeout, and the session is kept."""
    clients = FakeClients(silent)
    wanted = wish()

    async with engine_of(clients) as engine:
        clients.prepare = silent
        outcome = await say(engine, wanted, seconds=0.05)
        alive = engine.live("conv-1")

    assert outcome.status == "timeout"
    assert clients.made[0].names() == ["connect", "say", "interrupt", "disconnect"]
    assert alive is None


async def test_a_client_that_never_starts_times_out_and_is_closed() -> None:
    def stuck(client: FakeClient) -> None:
        client.connecting = asyncio.Event()

    clients = FakeClients(stuck)

    async with engine_of(clients) as engine:
        outcome = await say(engine, wish(), seconds=0.05)

    assert outcome.status == "timeout"
    assert clients.made[0].names() == ["connect", "disconnect"]


async def test_a_cancelled_turn_closes_its_client_and_is_cancelled() -> None:
    clients = FakeClients(silent)

    async with engine_of(clients) as engine:
        task = asyncio.ensure_future(say(engine, wish()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        alive = engine.live("conv-1")

    assert clients.made[0].names()[-2:] == ["interrupt", "disconnect"]
    assert alive is None


async def test_a_crash_in_a_turn_is_raised_and_the_next_turn_has_a_new_client() -> None:
    """G18: freed on a crash."""
    clients = FakeClients(silent)

    async with engine_of(clients) as engine:
        task = asyncio.ensure_future(say(engine, wish()))
        await asyncio.sleep(0.01)
        clients.made[0].inbox.put_nowait(CliFailed("status -9"))
        with pytest.raises(CliFailed, match="status -9"):
            await task
        clients.prepare = None
        outcome = await say(engine, wish())

    assert outcome.status == "success"
    assert clients.made[0].names()[-1] == "disconnect"


async def test_a_client_whose_cli_ends_between_turns_is_no_longer_live() -> None:
    clients = FakeClients()

    async with engine_of(clients) as engine:
        await say(engine, wish())
        clients.made[0].inbox.put_nowait(None)
        await asyncio.sleep(0.01)

        assert engine.live("conv-1") is None
        assert engine.live_counts() == {}


@pytest.mark.parametrize(
    "error", [SessionNotFound("gone"), AgentLost("link"), CliFailed("no")]
)
async def test_an_error_at_the_start_is_raised_as_it_is(error: Exception) -> None:
    def broken(client: FakeClient) -> None:
        client.connect_error = error

    async with engine_of(FakeClients(broken)) as engine:
        with pytest.raises(type(error), match=str(error)):
            await say(engine, wish())


async def test_an_error_that_is_not_ours_never_ends_the_engine() -> None:
    def broken(client: FakeClient) -> None:
        client.connect_error = ZeroDivisionError("what came out of a container")

    clients = FakeClients(broken)

    async with engine_of(clients) as engine:
        with pytest.raises(CliFailed, match="ZeroDivisionError"):
            await say(engine, wish())
        clients.prepare = None
        outcome = await say(engine, wish())

    assert outcome.status == "success"
