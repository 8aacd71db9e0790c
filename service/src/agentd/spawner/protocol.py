# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control may ask of an agent: calls, and CLI processes with their streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

SignalName = Literal["INT", "TERM", "KILL"]


@dataclass(frozen=True)
class CliStart:
    """Everything that control may choose about one CLI process."""

    session_id: str
    resume: bool
    model: str | None = None
    fallback_model: str | None = None
    permission_mode: str = "bypassPermissions"
    thinking_tokens: int | None = None
    system_prompt: str | None = None
    mcp_servers: Mapping[str, object] | None = None
    tools: bool = False
    resume_at: str | None = None
    mirror: bool = False
    definition: str | None = None
    definition_found: bool = False
    repository: str | None = None
    branch: str | None = None
    holder: str | None = None


@dataclass(frozen=True)
class AgentState:
    """Whether an agent is connected, since when, and what it reported at boot.

    The report comes from the agent's container: it is bounded and untrusted.
    """

    name: str
    connected: bool
    since: float | None
    report: Mapping[str, object] = field(default_factory=dict)


class CliProcess(Protocol):
    """One CLI process that runs in an agent's container."""

    @property
    def stderr_tail(self) -> str:
        """Return the last 8 KiB that the process wrote to standard error."""

    async def write(self, data: bytes) -> None:
        """Write to the process's input; raise AgentLost if the link is gone."""

    async def close_input(self) -> None:
        """End the process's input; a second call does nothing."""

    def stdout(self) -> AsyncIterator[bytes]:
        """Return its output in chunks until it has exited or the link is lost."""

    async def signal(self, name: SignalName) -> None:
        """Send a signal to the process's group."""

    async def wait(self) -> int:
        """Return the exit status; raise AgentLost if the link went away first."""

    def abandon(self) -> None:
        """Drop the connection at once: the agent's side lets it end its turn."""

    async def aclose(self) -> None:
        """Close the input, wait shortly, then end the group; bounded, repeatable."""


class Spawner(Protocol):
    """Starts CLI processes and makes calls in the declared agents."""

    def states(self) -> Mapping[str, AgentState]:
        """Return the state of every declared agent by name."""

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        """Return the agent's answer to one of the fixed calls.

        Raise AgentUnavailable if the agent is not connected, CallRefused if it
        refused, CallTimedOut if it did not answer in time, AgentLost if the link
        went away meanwhile.
        """

    async def start_cli(self, agent: str, start: CliStart) -> CliProcess:
        """Start a CLI process in the agent; raise CliFailed if it cannot be."""
