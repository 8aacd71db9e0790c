# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The CLI's messages over a process that runs in an agent's container."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from agentd.errors import CliFailed
from agentd.sessions.failures import cli_failure
from agentd.spawner.protocol import CliProcess, CliStart, Spawner

MAX_LINE_BYTES = 16 * 1024 * 1024


class CliTransport:
    """Lines of JSON to and from one CLI process; every byte of it is untrusted."""

    def __init__(self, spawner: Spawner, agent: str, start: CliStart) -> None:
        self._spawner = spawner
        self._agent = agent
        self._start = start
        self._process: CliProcess | None = None

    async def connect(self) -> None:
        """Start the process in the agent."""
        if self._process is None:
            self._process = await self._spawner.start_cli(self._agent, self._start)

    async def write(self, data: str) -> None:
        """Write a line to the process."""
        await self._started().write(data.encode("utf-8"))

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """Return the objects that the process writes; raise CliFailed at its crash."""
        process = self._started()
        buffer = bytearray()
        async for chunk in process.stdout():
            searched = len(buffer)
            buffer += chunk
            while (end := buffer.find(b"\n", searched)) >= 0:
                line = bytes(buffer[:end])
                del buffer[: end + 1]
                searched = 0
                if (message := parse_line(line)) is not None:
                    yield message
            if len(buffer) > MAX_LINE_BYTES:
                raise CliFailed(
                    f'The CLI of agent "{self._agent}" wrote a line of more than '
                    f"{MAX_LINE_BYTES} bytes. Its client is closed."
                )
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

    def _started(self) -> CliProcess:
        if self._process is None:
            raise CliFailed(f'The CLI of agent "{self._agent}" was not started.')
        return self._process


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the object in a line; None if it is something else that is harmless.

    Raise CliFailed if it begins like an object and is not one.
    """
    text = line.strip()
    if not text.startswith(b"{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CliFailed(
            f"The CLI wrote a line that is not JSON: {text[:80]!r}."
        ) from error
    return value if isinstance(value, dict) else None
