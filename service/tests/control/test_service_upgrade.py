# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control goes away during a turn, and finds its end when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from .service import ControlProcess, Json, cli_processes, until

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live

REMEMBER = "Remember the word mango."
RECALL = "Which words did I ask you to remember?"
SLOW = "answer slowly for 10 seconds"


def messages(control: ControlProcess, conversation_id: str) -> list[Json]:
    path = f"/chat/{conversation_id}/messages"
    found: list[Json] = control.client.get(path).json()["messages"]
    return found


def status_of(control: ControlProcess, conversation_id: str) -> str:
    return str(control.client.get(f"/chat/{conversation_id}").json()["status"])


def is_written(memory: Path) -> bool:
    """Return whether a transcript holds what was said."""
    found = memory.glob(".claude/projects/*/*.jsonl")
    return any("mango" in path.read_text(encoding="utf-8") for path in found)


async def cut_off(
    control: ControlProcess, conversation_id: str, cut: Callable[[], object]
) -> asyncio.Task[httpx.Response]:
    """Begin a slow turn, cut it off in its midst, and return its request."""
    request = asyncio.create_task(
        asyncio.to_thread(control.post, SLOW, conversation_id=conversation_id)
    )
    await until(lambda: status_of(control, conversation_id) == "running")
    await asyncio.sleep(1.0)
    await asyncio.to_thread(cut)
    return request


async def test_a_turn_that_runs_at_a_stop_is_ended_by_its_agent_and_found_again(
    running_stack: RunningStack,
) -> None:
    """E14, G18: the caller is told, nobody waits for ever, nothing is lost."""
    async with running_stack(with_spawner=False, drain_seconds=20) as stack:
        with ControlProcess(stack, settings={"drain_seconds": 0.2}) as control:
            known = control.say(REMEMBER)["conversation_id"]
            request = await cut_off(control, known, control.stop)
            told = await request
            control.start()
            while_it_ends = status_of(control, known)
            refused = control.post(RECALL, conversation_id=known).status_code
            await until(lambda: status_of(control, known) == "idle")
            said = messages(control, known)
            left = cli_processes(stack.sides["main"].pid)
            third = control.say(RECALL, conversation_id=known)
            log = control.log()

    assert told.status_code == 503, told.text
    assert known in told.json()["error"]
    assert (while_it_ends, refused) == ("running", 409)
    assert [one["status"] for one in said[2:]] == ["said", "recovered"]
    assert said[3]["content"].startswith("[offline model")
    assert left == []
    assert (third["status"], third["resumed"]) == ("success", True)
    assert "mango" in third["result"]
    assert "Traceback" not in log


async def test_a_first_turn_that_runs_at_a_kill_of_control_is_found_again(
    running_stack: RunningStack,
) -> None:
    """G02, E16, O12: its session is known before anything is answered."""
    async with running_stack(with_spawner=False, drain_seconds=20) as stack:
        with ControlProcess(stack) as control:
            first = f"{REMEMBER} {SLOW}"
            request = asyncio.create_task(asyncio.to_thread(control.post, first))
            await until(lambda: is_written(stack.memory()))
            assert control.process is not None
            control.process.kill()
            control.process.wait()
            with pytest.raises(httpx.TransportError):
                await request
            control.start()
            (known,) = control.client.get("/chat").json()["conversations"]
            await until(lambda: len(messages(control, known["id"])) == 2)
            said = messages(control, known["id"])
            second = control.say(RECALL, conversation_id=known["id"])
            removed = control.client.delete(f"/chat/{known['id']}").status_code

    assert said[1]["status"] == "recovered", said[1]["content"]
    assert (second["session_id"], second["resumed"]) == (known["session_id"], True)
    assert "mango" in second["result"]
    assert removed == 204


async def test_a_turn_that_neither_control_nor_its_agent_survives_is_told_as_lost(
    running_stack: RunningStack,
) -> None:
    """E16: never 409 for ever, and what the model said before is still known."""
    async with running_stack(with_spawner=False, drain_seconds=20) as stack:
        with ControlProcess(stack) as control:
            known = control.say(REMEMBER)["conversation_id"]

            def kill() -> None:
                assert control.process is not None
                for process in (control.process, stack.sides["main"]):
                    process.kill()
                    process.wait()

            request = await cut_off(control, known, kill)
            with pytest.raises(httpx.TransportError):
                await request
            stack.start_side()
            control.start()
            await until(lambda: len(messages(control, known)) == 4)
            said = messages(control, known)
            third = control.say(RECALL, conversation_id=known)

    assert said[3]["status"] == "error"
    assert "broken off" in said[3]["content"]
    assert "mango" in third["result"]
