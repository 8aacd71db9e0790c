# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The CLI's messages over a process that runs in an agent's container."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from agentd.engine.bounds import UNIT_BYTES, AgentBounds
from agentd.engine.lines import MIRROR, LineReader
from agentd.engine.mirror import Mirror
from agentd.engine.tools import OWN_SERVER, ToolServer
from agentd.errors import CliFailed
from agentd.sessions.failures import cli_failure
from agentd.spawner.protocol import CliProcess, CliStart, Spawner

MAX_EARLY_BYTES = 1024 * 1024
MAX_REQUEST_ID = 200


class CliTransport:
    """Lines of JSON to and from one CLI process; every byte of it is untrusted."""

    def __init__(self, spawner: Spawner, agent: str, start: CliStart) -> None:
        self._spawner = spawner
        self._agent = agent
        self._start = start
        self._tools: ToolServer | None = None
        self._bounds: AgentBounds | None = None
        self._mirror: Mirror | None = None
        self._process: CliProcess | None = None
        self._writing = asyncio.Lock()
        self._answered = False
        self._early_bytes = 0

    def serve(
        self, tools: ToolServer | None, bounds: AgentBounds | None = None
    ) -> None:
        """Offer these tools to the CLI, and read it within these bounds."""
        self._tools = tools
        self._bounds = bounds

    def keep(self, mirror: Mirror) -> None:
        """Give what the CLI writes to its transcript to this mirror."""
        self._mirror = mirror

    async def connect(self) -> None:
        """Start the process in the agent."""
        if self._process is None:
            self._process = await self._spawner.start_cli(self._agent, self._start)

    async def write(self, data: str) -> None:
        """Write a line to the process."""
        process = self._started()
        if self._start.tools and not self._answered:
            data = offering(data)
        # A long line goes in parts, and no other may come between them.
        async with self._writing:
            await process.write(data.encode("utf-8"))

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """Return the objects that the process writes; raise CliFailed at its crash."""
        process = self._started()
        reader = LineReader(None if self._bounds is None else self._bounds.hold)
        try:
            async for chunk in process.stdout():
                if not self._answered:
                    self._take_early(len(chunk))
                for size, message in reader.feed(chunk):
                    if self._bounds is not None:
                        await self._bounds.pace(size)
                    if message is None:
                        continue
                    if message["type"] == "control_request":
                        await self._answer(message)
                        continue
                    if await self._is_mirrored(size, message):
                        continue
                    self._answered |= message["type"] == "control_response"
                    yield message
        finally:
            reader.forget()
        status = await process.wait()
        if status != 0:
            raise cli_failure(
                f'The CLI of agent "{self._agent}" ended with status {status}: '
                f"{process.stderr_tail.strip()[-500:] or 'it said nothing'}",
                process.stderr_tail,
            )

    async def close(self) -> None:
        """End the process; bounded by the process itself."""
        try:
            if self._mirror is not None:
                await self._mirror.flush()
        finally:
            if self._process is not None:
                await self._process.aclose()

    def abandon(self) -> None:
        """Drop the connection: the agent's side lets the process end its turn."""
        if self._process is not None:
            self._process.abandon()

    def is_ready(self) -> bool:
        """Return whether the process was started."""
        return self._process is not None

    async def end_input(self) -> None:
        """End the process's input."""
        if self._process is not None:
            await self._process.close_input()

    def stderr_tail(self) -> str:
        """Return the last that the process wrote to standard error."""
        return "" if self._process is None else self._process.stderr_tail

    def _take_early(self, size: int) -> None:
        # The SDK keeps what comes before its first request is answered.
        self._early_bytes += size
        if self._early_bytes > MAX_EARLY_BYTES:
            raise CliFailed(
                f'The CLI of agent "{self._agent}" wrote {self._early_bytes} bytes '
                "before it answered. Its client is closed."
            )

    async def _is_mirrored(self, size: int, message: dict[str, Any]) -> bool:
        """Return whether this was for the mirror, which has all before a turn ends."""
        kind = message["type"]
        if self._mirror is not None:
            if kind == MIRROR:
                await self._pace_entries(message.get("entries"))
                await self._mirror.take(size, message)
            elif kind == "result":
                await self._mirror.flush()
        return bool(kind == MIRROR)

    async def _pace_entries(self, entries: object) -> None:
        # Each becomes a row, however short it is.
        if self._bounds is not None and isinstance(entries, list):
            await self._bounds.pace(len(entries) * UNIT_BYTES)

    async def _answer(self, message: dict[str, Any]) -> None:
        """Answer a request of the CLI: the tools that are offered, and nothing else.

        The next line waits for it: who does not take the answers is not read.
        """
        request_id, request = message.get("request_id"), message.get("request")
        if not isinstance(request_id, str) or len(request_id) > MAX_REQUEST_ID:
            raise CliFailed("The CLI made a request without an id of its own.")
        response: dict[str, object]
        if (
            self._tools is not None
            and isinstance(request, dict)
            and request.get("subtype") == "mcp_message"
            and request.get("server_name") == OWN_SERVER
        ):
            told = {"mcp_response": self._tools.answer(request.get("message"))}
            response = {"subtype": "success", "response": told}
        else:
            error = "Nothing of this kind is offered here."
            response = {"subtype": "error", "error": error}
        response["request_id"] = request_id
        answer = {"type": "control_response", "response": response}
        await self.write(json.dumps(answer) + "\n")

    def _started(self) -> CliProcess:
        if self._process is None:
            raise CliFailed(f'The CLI of agent "{self._agent}" was not started.')
        return self._process


def offering(line: str) -> str:
    """Return the SDK's greeting with the own tools named in it; other lines as given.

    A CLI whose servers are managed by the organisation takes none from its arguments,
    and exits if it is given some.
    """
    try:
        message = json.loads(line)
    except ValueError:
        return line
    request = message.get("request") if isinstance(message, dict) else None
    if not isinstance(request, dict) or request.get("subtype") != "initialize":
        return line
    greeting = {**message, "request": {**request, "sdkMcpServers": [OWN_SERVER]}}
    return json.dumps(greeting) + "\n"
