# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""How the real CLI ends: killed, left alone by control, or asked to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import uuid
from pathlib import Path

import pytest
from conftest import RunningStack, Stack, until
from spoken import Conversation, begin, cli_processes, drain

from agentd.errors import AgentLost, CliFailed
from agentd.spawner.control import SocketSpawner
from agentd.spawner.protocol import CliStart

pytestmark = pytest.mark.live


async def test_an_interrupted_process_takes_its_tools_with_it(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        conversation = await begin(stack)
        await conversation.send(
            'tool Bash {"command": "touch begun; sleep 100 & wait; true"}'
        )
        await until((stack.memory() / "begun").exists)
        assert len(cli_processes(stack)) > 1

        await conversation.process.signal("KILL")

        assert await drain(conversation.process) == -signal.SIGKILL
        await until(lambda: cli_processes(stack) == [], 5)


async def test_a_lost_link_lets_the_turn_finish(
    running_stack: RunningStack,
) -> None:
    session = str(uuid.uuid4())
    async with running_stack(with_spawner=False) as stack:
        start = CliStart(session_id=session, resume=False)
        async with spawning(stack) as spawner:
            process = await spawner.start_cli("main", start)
            conversation = Conversation(process)
            await conversation.send("answer slowly for 1.5 seconds")
            await until(lambda: transcript(stack, session) is not None)
        with pytest.raises(AgentLost):
            await process.wait()
        assert cli_processes(stack) != []

        await until(lambda: cli_processes(stack) == [], 10)

        path = transcript(stack, session)
        assert path is not None
        assert "This answer took 1.5 seconds." in path.read_text()


async def test_a_lost_link_ends_a_turn_that_does_not_finish_in_time(
    running_stack: RunningStack,
) -> None:
    async with running_stack(with_spawner=False, drain_seconds=1) as stack:
        async with spawning(stack) as spawner:
            start = CliStart(session_id=str(uuid.uuid4()), resume=False)
            conversation = Conversation(await spawner.start_cli("main", start))
            await conversation.send("hang")
            await asyncio.sleep(1)

        await until(lambda: cli_processes(stack) == [], 5)
        async with spawning(stack) as spawner:
            stack.use(spawner)
            again = await begin(stack)
            assert "mango" in await again.say("Remember the word mango.")
            await again.process.aclose()


def spawning(stack: Stack) -> Connected:
    """Return a spawner for the stack that has its agents connected."""
    return Connected(stack)


class Connected:
    """A spawner as a context, entered when every agent is connected."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._spawner = SocketSpawner(
            stack.sockets_directory, stack.agents, time.monotonic
        )

    async def __aenter__(self) -> SocketSpawner:
        await self._spawner.__aenter__()
        self._stack.use(self._spawner)
        for agent in self._stack.agents:
            await self._stack.until_connected(agent)
        return self._spawner

    async def __aexit__(self, *error: object) -> None:
        await self._spawner.__aexit__(None, None, None)


def transcript(stack: Stack, session: str) -> Path | None:
    """Return the session's transcript, if there is one already."""
    found = stack.memory().glob(f".claude/projects/*/{session}.jsonl")
    return next(found, None)


async def test_killing_the_agent_side_leaves_no_process_behind(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        idle = await begin(stack)
        await idle.say("Hello")
        busy = await begin(stack)
        await busy.send("hang")
        await asyncio.sleep(0.7)
        assert len(cli_processes(stack)) >= 2

        stack.sides["main"].kill()
        await asyncio.to_thread(stack.sides["main"].wait)
        with pytest.raises(AgentLost):
            await busy.process.wait()
        stack.start_side()
        await stack.until_connected()

        await until(lambda: cli_processes(stack) == [], 5)


async def test_stopping_the_agent_side_lets_the_turn_finish(
    running_stack: RunningStack,
) -> None:
    async with running_stack() as stack:
        idle = await begin(stack)
        await idle.say("Hello")
        busy = await begin(stack)
        await busy.send("answer slowly for 1.5 seconds")
        await asyncio.sleep(0.7)

        stack.sides["main"].send_signal(signal.SIGTERM)

        assert await drain(idle.process) == 0
        with pytest.raises(CliFailed, match="stopping"):
            await begin(stack)
        answers = [message async for message in busy.messages()]
        assert "1.5 seconds" in json.dumps(answers)
        assert await asyncio.to_thread(stack.sides["main"].wait, 10) == 0
        assert cli_processes(stack) == []
