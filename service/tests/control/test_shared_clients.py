# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Clients and the queue of several agents: shared, waited for, free at the end."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from agentd.engine.limits import PoolLimits
from agentd.engine.pooled import PooledEngine
from agentd.errors import AgentdError, CliFailed, EngineBusy

from .fakes import FakeClient, FakeClients, wish
from .running_engine import LIMITS, Hand, engine_of, say, silent

TWO = ("greedy", "modest")
MIB = 1024 * 1024


async def test_a_turn_waits_for_a_place_and_then_runs() -> None:
    clients = FakeClients(silent)
    noted: list[int] = []

    async with engine_of(clients) as engine, asyncio.TaskGroup() as tasks:
        engine.watch(Noted(noted))
        running = [tasks.create_task(say(engine, wish(name))) for name in "ab"]
        await asyncio.sleep(0.01)
        clients.prepare = None
        third = tasks.create_task(say(engine, wish("c")))
        await asyncio.sleep(0.01)
        assert not third.done()
        clients.made[0].answer("late", running_id(clients.made[0]))
        outcome = await third
        running[1].cancel()

    assert outcome.status == "success"
    assert noted[:1] == [1]
    assert noted[-1] == 0


async def test_a_turn_that_waited_long_is_refused_and_nothing_was_said() -> None:
    clients = FakeClients(silent)
    limits = replace(LIMITS, waiting_seconds=0.05)

    async with engine_of(clients, limits) as engine, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(say(engine, wish(name))) for name in "ab"]
        await asyncio.sleep(0.01)
        with pytest.raises(EngineBusy, match="max_waiting_seconds"):
            await say(engine, wish("c"))
        for task in running:
            task.cancel()

    assert len(clients.made) == 2


async def test_a_turn_waits_no_longer_than_its_own_time() -> None:
    clients = FakeClients(silent)

    async with engine_of(clients) as engine, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(say(engine, wish(name))) for name in "ab"]
        await asyncio.sleep(0.01)
        outcome = await say(engine, wish("c"), seconds=0.05)
        for task in running:
            task.cancel()

    assert (outcome.status, len(clients.made)) == ("timeout", 2)


async def test_the_turns_of_one_agent_leave_clients_and_queue_to_the_others() -> None:
    clients = FakeClients(lambda client: quiet_if(client, "greedy"))
    limits = PoolLimits(4, 4, 100.0, max_waiting=4, waiting_seconds=60, agents=TWO)

    async with engine_of(clients, limits) as engine, asyncio.TaskGroup() as tasks:
        hanging = [
            tasks.create_task(refused_or_said(engine, f"g{number}"))
            for number in range(20)
        ]
        await asyncio.sleep(0.05)
        outcomes = await asyncio.gather(
            *(say(engine, wish(f"m{n}", agent="modest"), seconds=2) for n in range(2))
        )
        stays = engine.has_room("modest", "m9"), engine.has_room("greedy", "g99")
        for task in hanging:
            task.cancel()

    assert [outcome.status for outcome in outcomes] == ["success"] * 2
    assert stays == (True, False)


async def test_who_opens_many_conversations_closes_its_own_idle_clients() -> None:
    clients, clock = FakeClients(), Hand()
    limits = PoolLimits(3, 3, 100.0, agents=TWO)

    async with engine_of(clients, limits, clock) as engine:
        await say(engine, wish("m1", agent="modest"))
        for number in range(6):
            clock.now += 1.0
            await say(engine, wish(f"g{number}", agent="greedy"))

        assert engine.live("m1") is not None
        assert engine.live_counts() == {"modest": 1, "greedy": 2}


async def test_an_agent_at_its_memory_closes_its_own_client_only() -> None:
    clients, clock = FakeClients(), Hand()
    limits = PoolLimits(9, 9, 100.0, agents=TWO, caps={"greedy": 1})

    async with engine_of(clients, limits, clock) as engine:
        for number in range(3):
            await say(engine, wish(f"m{number}", agent="modest"))
        await say(engine, wish("g1", agent="greedy"))
        await say(engine, wish("g2", agent="greedy"))

        assert engine.live_counts() == {"modest": 3, "greedy": 1}


async def test_an_idle_client_that_does_not_close_makes_nobody_wait_long() -> None:
    never = asyncio.Event()

    def prepare(client: FakeClient) -> None:
        if client.wish.agent == "greedy":
            client.disconnect = never.wait  # type: ignore[assignment]

    limits = PoolLimits(2, 2, 100.0, agents=TWO)
    async with engine_of(FakeClients(prepare), limits) as engine:
        await say(engine, wish("g1", agent="greedy"))
        await say(engine, wish("g2", agent="greedy"))
        async with asyncio.timeout(4.0):
            outcome = await say(engine, wish("m1", agent="modest"))
        never.set()

    assert outcome.status == "success"


class Noted:
    """A watch that notes how many wait."""

    def __init__(self, noted: list[int]) -> None:
        self.noted = noted

    def client_started(self, agent: str, seconds: float) -> None:
        assert seconds >= 0

    def client_ended(self, agent: str, why: str) -> None:
        assert why

    def waiting(self, count: int) -> None:
        self.noted.append(count)


def running_id(client: FakeClient) -> str:
    return client.said[-1]


def quiet_if(client: FakeClient, agent: str) -> None:
    client.answers = client.wish.agent != agent


async def refused_or_said(engine: PooledEngine, conversation_id: str) -> None:
    try:
        await say(engine, wish(conversation_id, agent="greedy"), seconds=60)
    except EngineBusy:
        return


class Mix:
    """Turns that end well, time out, crash, are cancelled or wait in vain."""

    AGENTS = ("a", "b", "c")
    LIMITS = PoolLimits(
        4, 2, 100.0, max_waiting=20, waiting_seconds=0.1, agents=AGENTS, caps={"b": 2}
    )

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.most = 0

    async def run(self, engine: PooledEngine) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(150):
                self.most = max(self.most, sum(engine.live_counts().values()))
                tasks.create_task(self._one(engine, number))
                await asyncio.sleep(self.dice.uniform(0.0, 0.01))

    def prepare(self, client: FakeClient) -> None:
        fate = self.dice.random()
        client.answers = fate < 0.5
        if fate > 0.9:
            client.connect_error = CliFailed("what came out of a container")
        elif fate > 0.8:
            client.connecting = asyncio.Event()

    async def _one(self, engine: PooledEngine, number: int) -> None:
        wanted = wish(f"c{number}", agent=self.dice.choice(self.AGENTS))
        try:
            async with asyncio.timeout(self.dice.uniform(0.01, 0.3)):
                await say(engine, wanted, seconds=self.dice.uniform(0.01, 0.2))
        except (TimeoutError, AgentdError):
            return


@pytest.mark.parametrize("seed", range(4))
async def test_after_any_mix_of_ends_every_place_is_free_again(seed: int) -> None:
    mix = Mix(seed)
    clients = FakeClients(mix.prepare)

    async with engine_of(clients, mix.LIMITS) as engine:
        await mix.run(engine)
        clients.prepare = None
        ends = [
            (await say(engine, wish(f"end-{agent}", agent=agent))).status
            for agent in mix.AGENTS
        ]
        room = [engine.has_room(agent, "new") for agent in mix.AGENTS]

    assert mix.most <= mix.LIMITS.max_live
    assert (ends, room) == (["success"] * 3, [True] * 3)
    assert engine._pool._places._gate.waiting() == {}
    assert not engine._pool._places._gate._inside
    assert not engine._pool._around.starts._gate._inside
