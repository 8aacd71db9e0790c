# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control killed with -9 in the midst of a sweep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from conftest import Stack
from control.service import ControlProcess
from forge.stand_in import Forge

from agentd.database.open import open_database
from agentd.database.writer import Transaction

from .old_files import age, session
from .test_sweep_store import put

if TYPE_CHECKING:
    from conftest import RunningStack

NAME = "shop/web"


async def store_conversations(directory: Path) -> None:
    """Store conversations about two issues, as a control would have."""

    def store(connection: Transaction) -> None:
        for number in (1, 2):
            put(connection, number, issue=str(number), last_activity=time.time())

    url = f"sqlite+aiosqlite:///{directory}/agentd.db"
    async with open_database(url) as database:
        await database.do(store)


@asynccontextmanager
async def asking(
    running_stack: RunningStack, forge: Forge
) -> AsyncIterator[tuple[Stack, ControlProcess]]:
    """Give a control that asks the forge in its sweeps; start it yourself."""
    async with running_stack(with_spawner=False) as stack:
        status = str(stack.directory / "status.sock")
        await asyncio.to_thread(stack.stop)
        stack.start_gateway(forges={"work": forge.settings()}, status_socket=status)
        stack.start_side()
        settings = {
            "forges": {"work": {}},
            "gateway_status_socket": status,
            "sweep": {"interval_hours": 0},
        }
        control = ControlProcess(stack, settings=settings)
        await store_conversations(control.database)
        yield stack, control


def put_old(stack: Stack) -> Path:
    """Put an old transcript on disk that no conversation has."""
    old = stack.memory() / ".claude" / "projects" / "p" / f"{session(9)}.jsonl"
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_text("{}\n")
    return age(old, 40)


async def kill_while_it_asks(control: ControlProcess, forge: Forge) -> None:
    """Begin a sweep, and kill control with -9 while it waits for the forge."""
    forge.break_with({"path": "/issues/2", "delay_seconds": 5})
    asked = asyncio.create_task(asyncio.to_thread(_cut_off, control))
    async with asyncio.timeout(20):
        while not forge.requests("/issues/2"):
            await asyncio.sleep(0.02)
    assert control.process is not None
    control.process.kill()
    control.process.wait()
    await asked
    forge.break_with()


async def test_a_sweep_that_was_killed_is_finished_by_the_next_one(
    running_stack: RunningStack, forge: Forge
) -> None:
    """I06, I09: told as cut off; what it did not come to goes later."""
    for number in (1, 2):
        forge.set_issue(NAME, number, "closed")
    async with asking(running_stack, forge) as (stack, control):
        old = put_old(stack)
        with control:
            await kill_while_it_asks(control, forge)
            assert old.exists()
            control.start()

            done = control.client.post("/sweep").json()
            first = control.client.get("/sweeps").json()["sweeps"][1]

            assert "cut off" in first["problems"][0]
            assert first["finished_at"] is not None
            assert done["counts"]["sessions"] == 2, (done, control.log())
            assert done["counts"]["transcripts"] == 1
            assert not old.exists()
            assert control.client.get("/sessions").json()["sessions"] == []


def _cut_off(control: ControlProcess) -> None:
    with pytest.raises(httpx.TransportError):
        control.client.post("/sweep")
