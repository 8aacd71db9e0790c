# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A turn that control's stop interrupts, and control that comes back to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agentd.clock import Clock
from agentd.errors import AgentdError

from .fakes import FakeEngine, FakeSpawner
from .running_app import Control, Parts, control

LAST = "44444444-4444-4444-8444-444444444444"
ENDED: dict[str, object] = {
    "running": False,
    "found": True,
    "ended": True,
    "answer": "the answer",
    "last_uuid": LAST,
    "truncated": False,
}
RUNNING: dict[str, object] = {"running": True, "found": True, "ended": False}


async def interrupt(directory: Path) -> str:
    """Let control stop in the midst of a turn; return the conversation's id."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with control(directory, parts) as running:
        request = asyncio.ensure_future(running.say("the question"))
        while not running.engine.said:
            await asyncio.sleep(0.01)
        (listed,) = (await running.client.get("/chat")).json()["conversations"]
        assert await running.turns.drain(0.01) == 1
        await running.turns.hand_over()
        answer = await request
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert listed["id"] in answer.json()["error"]
    return str(listed["id"])


@asynccontextmanager
async def back(
    directory: Path,
    *states: dict[str, object] | AgentdError,
    connected: bool = True,
    clock: Clock | None = None,
) -> AsyncIterator[Control]:
    """Let control be back, with an agent that tells these states one after another."""
    spawner = FakeSpawner(connected={"main": connected}, turn_states=list(states))
    parts = Parts(
        spawner=spawner, settings={"drain_seconds": 30.0}, clock=clock or Clock()
    )
    async with control(directory, parts) as running:
        yield running


async def last(running: Control, known: str) -> dict[str, object]:
    answer = await running.client.get(f"/chat/{known}/messages")
    found: dict[str, object] = answer.json()["messages"][-1]
    return found


async def until_idle(running: Control, known: str) -> dict[str, object]:
    """Wait until the conversation is idle; return it."""
    async with asyncio.timeout(5):
        while True:
            found: dict[str, object] = (
                await running.client.get(f"/chat/{known}")
            ).json()
            if found["status"] == "idle":
                return found
            await asyncio.sleep(0.01)
