# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control, gateway and agent sides as processes, with the real CLI and real HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from .service import ControlProcess, cli_processes, until

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live

REMEMBER = "Remember the word mango."
RECALL = "Which words did I ask you to remember?"


def transcripts(memory: Path, session_id: str) -> list[Path]:
    return sorted(memory.glob(f".claude/projects/*/{session_id}.jsonl"))


async def test_a_conversation_goes_on_in_its_live_client(
    running_stack: RunningStack,
) -> None:
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER, sender="u1")
            side = stack.sides["main"].pid
            clients = cli_processes(side)
            second = control.say(RECALL, conversation_id=first["conversation_id"])
            same = cli_processes(side)
            path = f"/chat/{first['conversation_id']}"
            said = control.client.get(f"{path}/messages").json()["messages"]
            removed = control.client.delete(path).status_code
            gone = control.client.get(path).status_code
            left = cli_processes(side)

    assert first["status"] == second["status"] == "success"
    assert (first["persisted"], second["persisted"]) == (True, True)
    assert "mango" in second["result"]
    assert len(clients) == 1
    assert same == clients
    assert [one["role"] for one in said] == ["user", "assistant"] * 2
    assert (removed, gone, left) == (204, 404, [])


async def test_a_conversation_survives_the_end_of_every_process(
    running_stack: RunningStack,
) -> None:
    """G07, G15: resumed in fresh processes, and the same file grew."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            (before,) = transcripts(stack.memory(), first["session_id"])
            size = before.stat().st_size
            status, _unused = control.stop()
            await asyncio.to_thread(stack.stop)
            stack.start_gateway()
            stack.start_side()
            control.start()
            second = control.say(RECALL, conversation_id=first["conversation_id"])

        (after,) = transcripts(stack.memory(), first["session_id"])
        grown = after.stat().st_size

    assert status == 0
    assert "mango" in second["result"]
    assert second["session_id"] == first["session_id"]
    assert (second["resumed"], second["persisted"]) == (True, True)
    assert second["notice"] is None
    assert after == before
    assert grown > size


async def test_a_stream_comes_piece_by_piece(running_stack: RunningStack) -> None:
    async with running_stack(with_spawner=False) as stack:
        with (
            ControlProcess(stack) as control,
            control.client.stream(
                "POST",
                "/chat",
                json={
                    "message": 'tool Bash {"command": "echo from-the-tool"}',
                    "stream": True,
                    "show_tool_use": True,
                },
            ) as response,
        ):
            lines = list(response.iter_lines())

    names = [line.removeprefix("event: ") for line in lines if line[:6] == "event:"]
    assert names[0] == "start"
    assert names[-1] == "done"
    assert {"tool_use", "chunk"} <= set(names)
    assert "from-the-tool" in lines[-2]


async def test_a_turn_out_of_time_keeps_its_session(
    running_stack: RunningStack,
) -> None:
    """J08."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            named = {"conversation_id": first["conversation_id"]}
            late = control.say("hang", max_execution_ms=1000, **named)
            left = cli_processes(stack.sides["main"].pid)
            third = control.say(RECALL, **named)

    assert (late["status"], late["session_id"]) == ("timeout", first["session_id"])
    assert late["duration_ms"] < 15_000
    assert left == []
    assert third["status"] == "success"
    assert third["session_id"] == first["session_id"]
    assert "mango" in third["result"]


async def test_a_killed_cli_ends_the_turn_and_the_next_one_resumes(
    running_stack: RunningStack,
) -> None:
    """G18, E16: the lock is freed at a crash."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            named = {"conversation_id": first["conversation_id"]}
            (pid,) = cli_processes(stack.sides["main"].pid)
            turn = asyncio.create_task(
                asyncio.to_thread(control.say, "answer slowly for 20 seconds", **named)
            )
            path = f"/chat/{first['conversation_id']}"
            await until(lambda: control.client.get(path).json()["status"] == "running")
            busy = control.post("hello", **named)
            await asyncio.sleep(0.5)
            os.kill(pid, signal.SIGKILL)
            broken = await turn
            third = control.say(RECALL, **named)

    assert busy.status_code == 409
    assert broken["status"] == "error"
    assert broken["duration_ms"] < 10_000
    assert third["status"] == "success"
    assert third["resumed"] is True
    assert "mango" in third["result"]


async def test_a_lost_transcript_is_told_and_a_new_session_begins(
    running_stack: RunningStack,
) -> None:
    """G09."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            control.stop()
            for path in transcripts(stack.memory(), first["session_id"]):
                path.unlink()
            control.start()
            second = control.say(RECALL, conversation_id=first["conversation_id"])

    assert second["status"] == "success"
    assert second["session_id"] != first["session_id"]
    assert "no longer on the disk" in second["notice"]


async def test_two_agents_know_nothing_of_one_another(
    running_stack: RunningStack,
) -> None:
    agents = ("main", "mail")
    async with running_stack(agents=agents, with_spawner=False) as stack:
        with ControlProcess(stack, agents=agents) as control:
            first = control.say(REMEMBER, agent="main")
            second = control.say("Remember the word kiwi.", agent="mail")
            answers = [
                control.say(RECALL, conversation_id=one["conversation_id"])
                for one in (first, second)
            ]
            listed = control.client.get("/agents").json()

        homes = [
            (len(transcripts(stack.memory(name), one["session_id"])))
            for name in agents
            for one in (first, second)
        ]

    assert [one["agent"] for one in answers] == ["main", "mail"]
    assert "mango" in answers[0]["result"]
    assert "kiwi" not in answers[0]["result"]
    assert "kiwi" in answers[1]["result"]
    assert [(one["ok"], one["live_conversations"]) for one in listed] == [(True, 1)] * 2
    assert homes == [1, 0, 0, 1]


async def test_a_stop_lets_the_running_turn_end(running_stack: RunningStack) -> None:
    """E14."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            named = {"conversation_id": first["conversation_id"]}
            turn = asyncio.create_task(
                asyncio.to_thread(control.say, "answer slowly for 3 seconds", **named)
            )
            path = f"/chat/{first['conversation_id']}"
            await until(lambda: control.client.get(path).json()["status"] == "running")
            stop = asyncio.create_task(asyncio.to_thread(control.stop))
            await asyncio.sleep(0.5)
            refused = control.post("hello")
            answer = await turn
            status, _unused = await stop

    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert (answer["status"], answer["persisted"]) == ("success", True)
    assert status == 0


async def test_a_stop_without_a_turn_is_quick(running_stack: RunningStack) -> None:
    """E14: with a live client that idles."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            control.say(REMEMBER)
            status, _unused = control.stop()
            log = control.log()

        side = stack.sides["main"].pid
        await until(lambda: cli_processes(side) == [])

    assert status == 0
    assert "Traceback" not in log


async def test_a_killed_control_finds_its_conversations_idle(
    running_stack: RunningStack,
) -> None:
    """E16, O12."""
    async with running_stack(with_spawner=False, drain_seconds=0) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            named = {"conversation_id": first["conversation_id"]}
            turn = asyncio.create_task(
                asyncio.to_thread(control.post, "answer slowly for 5 seconds", **named)
            )
            path = f"/chat/{first['conversation_id']}"
            await until(lambda: control.client.get(path).json()["status"] == "running")
            assert control.process is not None
            control.process.kill()
            control.process.wait()
            with pytest.raises(httpx.TransportError):
                await turn
            control.start()
            third = control.say(RECALL, **named)
            left = cli_processes(stack.sides["main"].pid)
            removed = control.client.delete(path).status_code

    assert len(left) == 1
    assert "mango" in third["result"]
    assert removed == 204


async def test_an_error_of_the_model_is_an_error_and_keeps_the_session(
    running_stack: RunningStack,
) -> None:
    """G11: is_error decides, and the id stays."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            first = control.say(REMEMBER)
            named = {"conversation_id": first["conversation_id"]}
            failed = control.say("fail with status 400", **named)
            known = control.client.get(f"/chat/{first['conversation_id']}").json()

    assert (failed["status"], failed["result"]) == ("error", None)
    assert "400" in failed["error"]
    assert failed["session_id"] == known["session_id"] == first["session_id"]
    assert (known["status"], known["live"]) == ("idle", True)
