# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The CLI's messages over a process that runs in an agent's container."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from agentd.engine.lines import LineReader
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
        self._process: CliProcess | None = None
        self._writing = asyncio.Lock()
        self._answered = False
        self._early_bytes = 0

    async def connect(self) -> None:
        """Start the process in the agent."""
        if self._process is None:
            self._process = await self._spawner.start_cli(self._agent, self._start)

    async def write(self, data: str) -> None:
        """Write a line to the process."""
        process = self._started()
        # A long line goes in parts, and no other may come between them.
        async with self._writing:
            await process.write(data.encode("utf-8"))

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """Return the objects that the process writes; raise CliFailed at its crash."""
        process = self._started()
        reader = LineReader()
        async for chunk in process.stdout():
            if not self._answered:
                self._take_early(len(chunk))
            for message in reader.feed(chunk):
                if message["type"] == "control_request":
                    await self._refuse(message.get("request_id"))
                    continue
                self._answered |= message["type"] == "control_response"
                yield message
        status = await process.wait()
        if status != 0:
            raise cli_failure(
                f'The CLI of agent "{self._agent}" ended with status {status}: '
                f"{process.stderr_tail.strip()[-500:] or 'it said nothing'}",
                process.stderr_tail,
            )

    async def close(self) -> None:
        """End the process; bounded by the process itself."""
        if self._process is not None:
            await self._process.aclose()

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

    async def _refuse(self, request_id: object) -> None:
        """Answer a request of the CLI, of which there is none that we offered.

        The next line waits for it: who does not take the answers is not read.
        """
        if not isinstance(request_id, str) or len(request_id) > MAX_REQUEST_ID:
            raise CliFailed("The CLI made a request without an id of its own.")
        error = "Nothing of this kind is offered here."
        response = {"subtype": "error", "request_id": request_id, "error": error}
        answer = {"type": "control_response", "response": response}
        await self.write(json.dumps(answer) + "\n")

    def _started(self) -> CliProcess:
        if self._process is None:
            raise CliFailed(f'The CLI of agent "{self._agent}" was not started.')
        return self._process
