# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How clients and waiting turns are shared: no agent takes them from the others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentd.engine.gate import FairGate
from agentd.engine.limits import MAX_CLIENTS_OF_AGENT, limits_of
from agentd.engine.shares import Shares
from agentd.engine.starts import Starts
from agentd.settings import ControlSettings

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
