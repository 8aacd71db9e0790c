# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How clients and waiting turns are shared: no agent takes them from the others."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from agentd.engine.gate import FairGate
from agentd.engine.limits import MAX_CLIENTS_OF_AGENT, PoolLimits, limits_of
from agentd.engine.pooled import PooledEngine
from agentd.engine.shares import Shares
from agentd.engine.starts import Starts
from agentd.errors import AgentdError, EngineBusy
from agentd.settings import ControlSettings

from .fakes import FakeClient, FakeClients, wish
from .running_engine import LIMITS, Hand, engine_of, say, silent

TWO = ("greedy", "modest")
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("total", "agents", "held", "agent", "may"),
    [
        (4, (), {"a": 3}, "a", True),
        (4, (), {"a": 4}, "a", False),
        (8, TWO, {"greedy": 5}, "greedy", True),
        (8, TWO, {"greedy": 6}, "greedy", False),
        (8, TWO, {"greedy": 6, "modest": 1}, "modest", True),
        (8, TWO, {"greedy": 5, "modest": 2}, "greedy", True),
        (8, TWO, {"greedy": 6, "modest": 2}, "modest", False),
        (2, ("a", "b", "c"), {"a": 1}, "a", False),
        (2, ("a", "b", "c"), {"a": 1}, "b", True),
        (0, TWO, {}, "modest", False),
    ],
)
def test_half_of_the_places_is_kept_for_the_agents(
    total: int, agents: tuple[str, ...], held: dict[str, int], agent: str, may: bool
) -> None:
    assert Shares(total, agents).may_take(held, agent) is may


def test_an_agent_has_no_more_clients_than_its_container_has_memory_for() -> None:
    shares = Shares(8, TWO, {"greedy": 1})

    assert shares.may_take({}, "greedy")
    assert not shares.may_take({"greedy": 1}, "greedy")
    assert shares.may_take({"modest": 6}, "modest")


def settings(**changes: Any) -> ControlSettings:
    values = {
        "component": "control",
        "deployment": "d",
        "listen_host": "127.0.0.1",
        "agents": [{"name": "a", "memory_bytes": 512 * MIB}, {"name": "b"}],
        "client_memory_bytes": 100 * MIB,
        **changes,
    }
    return ControlSettings.model_validate(values)


@pytest.mark.parametrize(
    ("changes", "live", "starting"),
    [
        ({}, 64, 4),
        ({"live_memory_bytes": 1000 * MIB}, 10, 4),
        ({"live_memory_bytes": 1}, 1, 4),
        ({"live_memory_bytes": 1000 * MIB, "max_live_clients": 3}, 3, 4),
        ({"max_starting_clients": 7}, 64, 7),
    ],
)
def test_memory_bounds_the_clients_and_cores_bound_the_starts(
    changes: dict[str, int], live: int, starting: int
) -> None:
    limits = limits_of(settings(**changes), cores=4)

    assert (limits.max_live, limits.max_starting) == (live, starting)
    assert limits.caps == {"a": 2, "b": MAX_CLIENTS_OF_AGENT}
    assert limits.agents == ("a", "b")


def test_a_small_container_has_one_client_all_the_same() -> None:
    small = settings(agents=[{"name": "a", "memory_bytes": 128 * MIB}])

    assert limits_of(small, cores=1).caps == {"a": 1}


async def test_the_gate_lets_in_agent_by_agent_whoever_came_first() -> None:
    gate = FairGate(lambda inside, _agent: sum(inside.values()) < 1)
    order: list[str] = []

    async def pass_through(agent: str) -> None:
        await gate.enter(agent)
        order.append(agent)
        await asyncio.sleep(0)
        gate.leave(agent)

    await gate.enter("greedy")
    async with asyncio.TaskGroup() as tasks:
        for agent in ["greedy"] * 3 + ["modest"] * 2:
            tasks.create_task(pass_through(agent))
        await asyncio.sleep(0)
        gate.leave("greedy")

    assert order == ["modest", "greedy", "modest", "greedy", "greedy"]
    assert gate.waiting() == {}


async def test_who_stops_waiting_keeps_no_place_and_no_queue() -> None:
    gate = FairGate(lambda inside, _agent: sum(inside.values()) < 1)
    await gate.enter("a")
    waiting = [asyncio.ensure_future(gate.enter("a")) for _number in range(2)]
    await asyncio.sleep(0)

    waiting[0].cancel()
    await asyncio.sleep(0)
    gate.leave("a")
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert gate.waiting() == {}
    assert gate.is_open("a")


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


async def test_an_agent_whose_starts_hang_starts_one_at_a_time() -> None:
    starts = Starts(2, longest_seconds=0.05)
    order: list[str] = []

    async def start(agent: str, seconds: float) -> None:
        async with starts.place(agent):
            order.append(agent)
            await asyncio.sleep(seconds)

    async with asyncio.TaskGroup() as tasks:
        for _number in range(6):
            tasks.create_task(start("greedy", 0.5))
        await asyncio.sleep(0.07)
        order.clear()
        for _number in range(3):
            tasks.create_task(start("modest", 0.0))
        await asyncio.sleep(0.04)
        quick = list(order)

    assert (quick.count("modest"), quick.count("greedy")) in {(3, 0), (3, 1)}


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


@pytest.mark.parametrize("seed", range(4))
async def test_after_any_mix_of_ends_every_place_is_free_again(seed: int) -> None:
    """Turns that end well, time out, crash, are cancelled or wait in vain."""
    dice = random.Random(seed)
    agents = ("a", "b", "c")
    most = 0

    def prepare(client: FakeClient) -> None:
        nonlocal most
        most = max(most, sum(engine.live_counts().values()))
        fate = dice.random()
        client.answers = fate < 0.5
        if fate > 0.9:
            client.connect_error = ValueError("what came out of a container")
        elif fate > 0.8:
            client.connecting = asyncio.Event()

    async def one(number: int) -> None:
        wanted = wish(f"c{number % 25}-{number}", agent=dice.choice(agents))
        try:
            async with asyncio.timeout(dice.uniform(0.01, 0.3)):
                await say(engine, wanted, seconds=dice.uniform(0.01, 0.2))
        except (TimeoutError, AgentdError):
            return

    limits = PoolLimits(
        4, 2, 100.0, max_waiting=20, waiting_seconds=0.1, agents=agents, caps={"b": 2}
    )
    async with engine_of(FakeClients(prepare), limits) as engine:
        async with asyncio.TaskGroup() as tasks:
            for number in range(150):
                tasks.create_task(one(number))
                await asyncio.sleep(dice.uniform(0.0, 0.01))
        clean = FakeClients()
        engine._pool._factory = clean
        ends = [
            (await say(engine, wish(f"end-{agent}", agent=agent))).status
            for agent in agents
        ]
        room = [engine.has_room(agent, "new") for agent in agents]

    assert most <= limits.max_live
    assert ends == ["success"] * 3
    assert room == [True] * 3
    assert engine._pool._places._gate.waiting() == {}
    assert not engine._pool._places._gate._inside
    assert not engine._pool._around.starts._gate._inside
