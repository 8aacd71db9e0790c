# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Clients of an agent that stalls: the clients of the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agentd.api.probes import AgentProbes
from agentd.api.skill_reports import ExpectedSkills
from agentd.clock import Clock
from agentd.engine.pool import Pool
from agentd.engine.pooled import PooledEngine
from agentd.engine.starts import Starts

from .fakes import FakeClient, FakeClients, FakeSpawner, wish
from .running_engine import LIMITS, Hand, say


async def test_a_slow_close_of_an_idle_client_breaks_off_no_turn_of_another() -> None:
    slow = asyncio.Event()

    def prepare(client: FakeClient) -> None:
        if client.wish.conversation_id == "a":
            client.disconnect = slow.wait  # type: ignore[assignment]

    clock = Hand()
    pool = Pool(FakeClients(prepare), LIMITS, clock)
    async with PooledEngine(pool, 0.05) as engine:
        await say(engine, wish("a"))
        await say(engine, second := wish("b"))
        clock.now = 2 * LIMITS.idle_seconds
        reaping = asyncio.create_task(pool.close_idle())
        await asyncio.sleep(0.05)

        outcome = await say(engine, second)
        slow.set()
        closed = await reaping

    assert (outcome.status, closed) == ("success", 2)


async def test_starts_that_never_end_leave_their_places_to_others() -> None:
    starts = Starts(1, longest_seconds=0.05)
    order: list[str] = []

    async def start(name: str, seconds: float) -> None:
        async with starts.place(name):
            order.append(f"{name} begins")
            await asyncio.sleep(seconds)
        order.append(f"{name} ended")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(start("stalled", 0.3))
        tasks.create_task(start("quick", 0.0))

    assert order == ["stalled begins", "quick begins", "quick ended", "stalled ended"]


async def test_a_place_is_given_back_once_only() -> None:
    starts = Starts(1, longest_seconds=0.05)
    inside: list[int] = []

    async def start() -> None:
        async with starts.place("main"):
            inside.append(inside[-1] + 1 if inside else 1)
            await asyncio.sleep(0.01)
            inside.append(inside[-1] - 1)

    async with starts.place("main"):
        await asyncio.sleep(0.1)
    async with asyncio.TaskGroup() as tasks:
        for _number in range(3):
            tasks.create_task(start())

    assert max(inside) == 1


async def test_a_close_that_fails_in_an_unknown_way_ends_no_other_client() -> None:
    def prepare(client: FakeClient) -> None:
        async def fail() -> None:
            raise RuntimeError("no error of ours")

        if client.wish.conversation_id == "a":
            client.disconnect = fail  # type: ignore[method-assign]

    async with PooledEngine(Pool(FakeClients(prepare), LIMITS, Hand()), 0.05) as engine:
        await say(engine, wish("a"))
        await say(engine, second := wish("b"))
        await engine.close("a")
        outcome = await say(engine, second)

    assert outcome.status == "success"


async def test_a_client_whose_agent_ignores_the_interrupt_is_closed_at_once() -> None:
    clients = FakeClients(hung)

    async with PooledEngine(Pool(clients, LIMITS, Hand()), 0.05) as engine:
        async with asyncio.timeout(5.0):
            outcome = await say(engine, wish("a"), seconds=0.05)

    assert outcome.status == "timeout"
    assert clients.made[0].names()[-1] == "disconnect"


def hung(client: FakeClient) -> None:
    async def interrupt() -> None:
        await asyncio.Event().wait()

    client.answers = False
    client.interrupt = interrupt  # type: ignore[method-assign]


async def test_an_agent_that_answers_late_keeps_control_s_health_in_time() -> None:
    """J02: what asks for control's health waits 5 s."""
    late = LateSpawner()
    probes = AgentProbes(late, Clock(), ExpectedSkills())

    async with asyncio.timeout(4.5):
        known = await probes.all()

    assert known["main"].ok
    assert known["main"].credentials is None


class LateSpawner(FakeSpawner):
    """An agent that takes long for everything but its probe."""

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        if name != "probe":
            await asyncio.sleep(timeout_seconds)
        return {"ok": True}
