# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""E16, O12, G18: whatever is killed, no acknowledged turn is lost and none is stuck."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from control.service import ControlProcess

from .checks import integrity, lost_lines, lost_messages, messages_of, unanswered
from .killer import Killer
from .load import Conversation, Ledger, Talker
from .running import Running

if TYPE_CHECKING:
    from conftest import RunningStack, Stack

pytestmark = pytest.mark.live

AGENTS = ("main", "mail")
CONVERSATIONS = 4
MANY_CONVERSATIONS = 6
KILLS = 7
MANY_KILLS = 50
SEED = 4
DRAIN_SECONDS = 3
# A turn may wait for the drain of its predecessor, for a start and for its own tool.
STUCK_SECONDS = 60.0


@dataclass
class Run:
    """One load with its kills, and all that was found wrong."""

    running: Running
    conversations: list[Conversation]
    ledger: Ledger
    killer: Killer
    stuck: list[str]
    recovered: int = 0
    unanswered: int = 0
    slowest_end: float = 0.0

    def figures(self, seed: int) -> dict[str, object]:
        """Return what the run showed."""
        running, ledger = self.running, self.ledger
        return {
            "seed": seed,
            "kills": self.killer.killed.total(),
            "killed": dict(self.killer.killed),
            "conversations": len(self.conversations),
            "turns": dict(ledger.counts),
            "acknowledged": ledger.counts["acknowledged"],
            "lost": len(ledger.faults),
            "faults": ledger.faults[:20],
            "stuck": len(self.stuck),
            "orphans": len(running.orphans),
            "crashes": len(running.crashes),
            "recovered_answers": self.recovered,
            "messages_without_end": self.unanswered,
            "slowest_after_last_kill_seconds": round(self.slowest_end, 2),
            "longest_gap_seconds": round(
                max(one.longest_gap for one in self.conversations), 2
            ),
            "recoveries": self.killer.recoveries(),
        }


async def test_kills_at_random_points_lose_no_acknowledged_turn(
    running_stack: RunningStack, request: pytest.FixtureRequest
) -> None:
    """E16, O12, G18: also no conversation is stuck, and no tool is left running."""
    option = request.config.getoption
    kills = option("--kills", None) or KILLS
    seed = option("--kills-seed", None)
    seed = SEED if seed is None else seed
    count = CONVERSATIONS if kills < MANY_KILLS else MANY_CONVERSATIONS
    began = time.monotonic()

    async with running_stack(
        agents=AGENTS, with_spawner=False, drain_seconds=DRAIN_SECONDS
    ) as stack:
        run = await loaded(stack, count, random.Random(seed), kills)
        if run.ledger.faults and (kept := option("--kills-keep", None)):
            shutil.copytree(stack.directory, kept, ignore=no_sockets)
    left = run.running.left()

    figures = {**run.figures(seed), "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(figures))
    if report := option("--kills-report", None):
        Path(report).write_text(json.dumps(figures), encoding="utf-8")
    assert run.ledger.faults == []
    assert run.stuck == []
    assert run.unanswered == 0
    assert run.running.orphans == []
    assert run.running.crashes == []
    assert left == []
    assert run.ledger.counts["acknowledged"] >= kills


def no_sockets(directory: str, names: list[str]) -> list[str]:
    """Return what of a directory cannot be copied."""
    return [name for name in names if (Path(directory) / name).is_socket()]


async def loaded(stack: Stack, count: int, chance: random.Random, kills: int) -> Run:
    """Run the load and the kills below it, then look at everything."""
    control = ControlProcess(
        stack, agents=AGENTS, settings={"drain_seconds": DRAIN_SECONDS}
    )
    with control:
        running = Running(stack, control)
        ledger = Ledger()
        conversations = [
            Conversation(number, AGENTS[number % len(AGENTS)])
            for number in range(count)
        ]
        killer = Killer(running, ledger, random.Random(chance.random()))
        run = Run(running, conversations, ledger, killer, [])
        async with talkers(control, run, chance) as talking:
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                for talker in talking:
                    tasks.create_task(talker.talk(stop))
                await killer.run(kills)
                stop.set()
            await end(run, talking)
        await asyncio.to_thread(control.stop)
        whole = integrity(control.database / "agentd.db")
    if whole != "ok":
        ledger.faults.append(f"the database is damaged: {whole}")
    return run


@asynccontextmanager
async def talkers(
    control: ControlProcess, run: Run, chance: random.Random
) -> AsyncIterator[list[Talker]]:
    """Yield who talks in each conversation, with a connection of its own."""
    async with AsyncExitStack() as stack:
        found = []
        for conversation in run.conversations:
            client = await stack.enter_async_context(client_of(control))
            own = random.Random(chance.random())
            found.append(Talker(client, conversation, run.ledger, own))
        yield found


def client_of(control: ControlProcess) -> httpx.AsyncClient:
    """Return a client that waits longer than any turn may take."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{control.port}",
        headers={"Authorization": f"Bearer {control.token}"},
        timeout=STUCK_SECONDS + 30,
        trust_env=False,
    )


async def end(run: Run, talking: Sequence[Talker]) -> None:
    """Kill everything once more, then let each conversation tell its words."""
    running = run.running
    for agent in AGENTS:
        await running.kill("agent", agent, 0)
    await running.kill("control", AGENTS[0], 0)
    last = time.monotonic()

    async def recall(talker: Talker, conversation: Conversation) -> None:
        if await talker.until_recalled(last + STUCK_SECONDS):
            took = time.monotonic() - last
            run.slowest_end = max(run.slowest_end, took)
        else:
            run.stuck.append(f"{conversation.id}: no turn after {STUCK_SECONDS} s")

    async with asyncio.TaskGroup() as tasks:
        for talker, conversation in zip(talking, run.conversations, strict=True):
            tasks.create_task(recall(talker, conversation))
    await running.settle()
    async with client_of(running.control) as client:
        for conversation in run.conversations:
            await look(run, client, conversation)


async def look(run: Run, client: httpx.AsyncClient, conversation: Conversation) -> None:
    """See whether all that was acknowledged of a conversation is still there."""
    if conversation.id is None:
        run.stuck.append(f"conversation {conversation.number} never got an id")
        return
    state = (await client.get(f"/chat/{conversation.id}")).json()
    if state.get("status") != "idle":
        run.stuck.append(f"{conversation.id}: {state}")
    messages = await messages_of(client, conversation.id)
    run.recovered += sum(one["status"] == "recovered" for one in messages)
    run.unanswered += len(list(unanswered(messages)))
    for lost in lost_messages(conversation, messages):
        run.ledger.fault(conversation, lost)
    for lost in lost_lines(run.running.stack.memory(conversation.agent), conversation):
        run.ledger.fault(conversation, lost)
