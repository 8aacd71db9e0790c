# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The engine with the real CLI: own tools, background work, hand-over, kills."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from conftest import RunningStack, Stack, until
from spoken import cli_processes

from agentd.engine.claude import ClaudeClients
from agentd.engine.limits import PoolLimits
from agentd.engine.pool import Pool
from agentd.engine.pooled import PooledEngine
from agentd.engine.protocol import (
    Chunk,
    ClientWish,
    Outbound,
    ToolUse,
    TurnEvent,
    TurnOutcome,
)
from agentd.errors import AgentdError, CliFailed, TurnHandedOver
from agentd.sessions.identity import new_session_id

pytestmark = pytest.mark.live

LIMITS = PoolLimits(max_live=4, max_starting=2, idle_seconds=100.0)
SEND = 'tool mcp__agentkeep__send_message {"text": "It takes an hour."}'
IN_BACKGROUND = (
    'tool Bash {"command": "for i in 1 2; do sleep 0.3; done; echo built", '
    '"run_in_background": true, "description": "build"}'
)


@dataclass
class Spoken:
    """An engine over a stack, with what was heard and kept."""

    engine: PooledEngine
    kept: list[Outbound] = field(default_factory=list)
    heard: list[TurnEvent] = field(default_factory=list)

    async def say(self, wanted: ClientWish, message: str) -> TurnOutcome:
        self.heard.clear()
        return await self.engine.turn(
            wanted,
            message,
            self.heard.append,
            timeout_seconds=30,
            message_uuid=new_session_id(),
        )

    def text(self) -> str:
        return "".join(one.text for one in self.heard if isinstance(one, Chunk))


@asynccontextmanager
async def engine_over(stack: Stack) -> AsyncIterator[Spoken]:
    pool = Pool(ClaudeClients(stack.spawner), LIMITS, time.monotonic)
    async with PooledEngine(pool) as engine:
        spoken = Spoken(engine)
        engine.listen(spoken.kept.append)
        yield spoken


def wish(conversation_id: str = "c", **changes: object) -> ClientWish:
    values: dict[str, object] = {
        "agent": "main",
        "conversation_id": conversation_id,
        "session_id": new_session_id(),
        "resume": False,
        "tools": ("send_message",),
        **changes,
    }
    return ClientWish(**values)  # type: ignore[arg-type]


def transcript(stack: Stack, session: str) -> Path:
    found = stack.memory().glob(f".claude/projects/*/{session}.jsonl")
    return next(found, stack.directory / "none")


async def test_own_tools_and_background_results_reach_the_listener(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack, engine_over(stack) as spoken:
        wanted = wish()
        sent = await spoken.say(wanted, SEND)
        tools = [one.name for one in spoken.heard if isinstance(one, ToolUse)]
        await spoken.say(wanted, IN_BACKGROUND)
        await until(lambda: len(spoken.kept) == 2)
        after = await spoken.say(wanted, "Remember the word mango.")
        heard = spoken.text()

    assert tools == ["mcp__agentkeep__send_message"]
    assert "The message was sent." in (sent.result or "")
    assert sent.skills and sent.cost_usd
    assert [(one.text, one.source) for one in spoken.kept] == [
        ("It takes an hour.", "tool"),
        ("[offline model, not a real model] Done.", "background"),
    ]
    assert "mango" in (after.result or "")
    assert heard == after.result


async def test_own_tools_need_no_permission_and_none_of_them_is_none(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack, engine_over(stack) as spoken:
        asked = await spoken.say(wish(permission_mode="default"), SEND)
        without = await spoken.say(wish("d", tools=()), SEND)

    assert "The message was sent." in (asked.result or "")
    assert "No such tool" in (without.result or "")
    assert len(spoken.kept) == 1


async def test_a_turn_that_was_handed_over_is_in_the_transcript(
    running_stack: RunningStack,
) -> None:
    wanted, calling = wish(), wish("d")
    async with running_stack() as stack:
        async with engine_over(stack) as spoken:
            await spoken.say(calling, "Remember the word mango.")
            slow = asyncio.ensure_future(
                spoken.say(wanted, "answer slowly for 1.5 seconds")
            )
            await until(lambda: transcript(stack, wanted.session_id).exists())
            tool = asyncio.ensure_future(
                spoken.say(calling, 'tool Bash {"command": "touch t; sleep 0.7"}')
            )
            await until((stack.memory() / "t").exists)

            count = await spoken.engine.hand_over()

            for turn in (slow, tool):
                with pytest.raises(TurnHandedOver):
                    await turn
        assert count == 2
        assert cli_processes(stack) != []
        await until(lambda: cli_processes(stack) == [], 10)
        told = transcript(stack, wanted.session_id).read_text()
        called = transcript(stack, calling.session_id).read_text()

    assert "This answer took 1.5 seconds." in told
    assert "The tool answered:" in called


async def test_a_killed_cli_takes_its_tools_with_it_and_the_session_goes_on(
    running_stack: RunningStack,
) -> None:
    """G18: nothing is busy for ever after a crash."""
    wanted = wish()
    async with running_stack() as stack, engine_over(stack) as spoken:
        await spoken.say(wanted, "Remember the word mango.")
        command = "touch begun; (setsid sleep 300 &) ; sleep 300 & wait"
        broken = asyncio.ensure_future(
            spoken.say(wanted, f'tool Bash {{"command": "{command}"}}')
        )
        await until((stack.memory() / "begun").exists)
        assert len(cli_processes(stack)) > 2

        os.kill(cli_leader(stack), signal.SIGKILL)

        with pytest.raises(CliFailed, match="status -9"):
            await broken
        await until(lambda: cli_processes(stack) == [], 5)
        again = await spoken.say(
            replace(wanted, resume=True), "Which words did I ask you to remember?"
        )

    assert "mango" in (again.result or "")


async def test_a_killed_agent_side_fails_the_turn_and_leaves_nothing_behind(
    running_stack: RunningStack,
) -> None:
    wanted = wish()
    async with running_stack() as stack, engine_over(stack) as spoken:
        broken = asyncio.ensure_future(
            spoken.say(wanted, 'tool Bash {"command": "touch begun; sleep 300"}')
        )
        await until((stack.memory() / "begun").exists)

        stack.sides["main"].kill()
        await asyncio.to_thread(stack.sides["main"].wait)
        with pytest.raises(AgentdError):
            await broken
        await until(lambda: not stack.spawner.states()["main"].connected)
        stack.start_side()
        await stack.until_connected()

        await until(lambda: cli_processes(stack) == [], 5)
        again = await spoken.say(replace(wanted, resume=True), "Hello")

    assert again.status == "success"


def cli_leader(stack: Stack) -> int:
    """Return the CLI's own process: the only one that is a claude by its name."""
    (leader,) = [
        pid
        for pid in cli_processes(stack)
        if b"/_bundled/claude" in Path(f"/proc/{pid}/cmdline").read_bytes()[:300]
    ]
    return leader
