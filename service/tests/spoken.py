# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The real CLI, spoken to as the SDK does."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

from conftest import Stack

from agentd.agent.command import MARKER
from agentd.spawner.processes import marked
from agentd.spawner.protocol import CliProcess, CliStart

TURN_SECONDS = 30


class Conversation:
    """A CLI process spoken to as the SDK does."""

    def __init__(self, process: CliProcess) -> None:
        self.process = process
        self.uuid = ""
        self._chunks = process.stdout()

    async def send(self, text: str) -> None:
        """Say something, without waiting for the answer."""
        message = {"role": "user", "content": text}
        line = {"type": "user", "message": message, "parent_tool_use_id": None}
        await self.process.write(json.dumps(line).encode() + b"\n")

    async def say(self, text: str) -> str:
        """Say something; return the answer's text."""
        await self.send(text)
        async with asyncio.timeout(TURN_SECONDS):
            async for message in self.messages():
                if message["type"] == "assistant":
                    self.uuid = str(message["uuid"])
                if message["type"] == "result":
                    assert not message["is_error"], message
                    return str(message["result"])
        raise AssertionError(f"the CLI ended: {self.process.stderr_tail}")

    async def messages(self) -> AsyncIterator[dict[str, object]]:
        """Yield what the CLI prints."""
        rest = b""
        async for chunk in self._chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield json.loads(line)


async def begin(
    stack: Stack, session_id: str | None = None, agent: str = "main"
) -> Conversation:
    """Start a CLI; resume the session if one is named."""
    start = CliStart(
        session_id=session_id or str(uuid.uuid4()), resume=session_id is not None
    )
    return Conversation(await stack.spawner.start_cli(agent, start))


def cli_processes(stack: Stack, agent: str = "main") -> list[int]:
    """Return the processes that the agent side has started and that still run."""
    path = stack.sockets_directory / agent / "control.sock"
    mark = {MARKER: f"test:{agent}:{path}"}
    return marked(mark)


async def drain(process: CliProcess) -> int:
    """Read what is left; return the exit status."""
    async with asyncio.timeout(TURN_SECONDS):
        async for _unused in process.stdout():
            continue
        return await process.wait()
