# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How the agents are: asked of each, in parallel, and remembered shortly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agentd.api.skill_reports import ExpectedSkills, read_report
from agentd.clock import Clock
from agentd.errors import AgentdError
from agentd.spawner.calls import printable
from agentd.spawner.protocol import Spawner

PROBE_TIMEOUT_SECONDS = 3.0
DETAILS_TIMEOUT_SECONDS = 1.0
REMEMBER_SECONDS = 5.0
MAX_ERRORS = 10
CREDENTIALS = frozenset(
    {
        *("valid", "missing", "expired", "refresh_needed", "signed_out", "not_used"),
        "cli_unavailable",
    }
)


@dataclass(frozen=True)
class AgentProbe:
    """What an agent told of its volumes: a claim from its container."""

    ok: bool
    volumes: Mapping[str, bool] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    retention_swept_at: float | None = None
    credentials: str | None = None
    credentials_expire_at: float | None = None


class AgentProbes:
    """The latest probe of each connected agent."""

    def __init__(
        self, spawner: Spawner, clock: Clock, expected: ExpectedSkills
    ) -> None:
        self._spawner = spawner
        self._expected = expected
        self._skills_of: dict[str, float | None] = {}
        self._clock = clock
        self._asking = asyncio.Lock()
        self._known: dict[str, AgentProbe] = {}
        self._until = float("-inf")

    async def all(self) -> Mapping[str, AgentProbe]:
        """Return the probe of every connected agent, at most some seconds old."""
        async with self._asking:
            connected = {n for n, s in self._spawner.states().items() if s.connected}
            fresh = self._clock.monotonic() < self._until
            if not fresh or connected - self._known.keys():
                async with asyncio.TaskGroup() as tasks:
                    asked = {n: tasks.create_task(self._ask(n)) for n in connected}
                self._known = {name: task.result() for name, task in asked.items()}
                self._until = self._clock.monotonic() + REMEMBER_SECONDS
            return {n: probe for n, probe in self._known.items() if n in connected}

    async def _ask(self, name: str) -> AgentProbe:
        try:
            answer = await self._spawner.call(
                name, "probe", {}, timeout_seconds=PROBE_TIMEOUT_SECONDS
            )
        except AgentdError as error:
            return AgentProbe(ok=False, errors=(printable(str(error)),))
        probe = read_probe(answer)
        try:
            # All in all less than what asks for control's health waits: an agent that
            # is slow by intent must not make control unhealthy.
            async with asyncio.timeout(DETAILS_TIMEOUT_SECONDS):
                await self._ask_for_skills(name)
                credentials = await self._spawner.call(
                    name,
                    "credentials_status",
                    {},
                    timeout_seconds=PROBE_TIMEOUT_SECONDS,
                )
        except (AgentdError, TimeoutError):
            return probe
        return read_credentials(probe, credentials)

    async def _ask_for_skills(self, name: str) -> None:
        """Learn once for each connection which skills its CLI should have."""
        since = self._spawner.states()[name].since
        if name in self._skills_of and self._skills_of[name] == since:
            return
        try:
            answer = await self._spawner.call(
                name, "skills", {}, timeout_seconds=PROBE_TIMEOUT_SECONDS
            )
        except AgentdError:
            return
        self._skills_of[name] = since
        self._expected.expect(name, read_report(answer))


def read_probe(answer: Mapping[str, object]) -> AgentProbe:
    """Return what an answer says, whatever shape it has."""
    volumes = answer.get("volumes")
    return AgentProbe(
        ok=answer.get("ok") is True,
        volumes={
            str(name)[:64]: value is True for name, value in list(volumes.items())[:32]
        }
        if isinstance(volumes, dict)
        else {},
        errors=_sentences(answer.get("errors")),
        warnings=_sentences(answer.get("warnings")),
        retention_swept_at=_time(answer.get("retention_swept_at")),
    )


def read_credentials(probe: AgentProbe, answer: Mapping[str, object]) -> AgentProbe:
    """Return the probe with what an answer says of the CLI's own sign-in."""
    status = answer.get("status")
    return replace(
        probe,
        credentials=status
        if isinstance(status, str) and status in CREDENTIALS
        else None,
        credentials_expire_at=_time(answer.get("expires_at")),
    )


def _sentences(found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        return ()
    return tuple(printable(one) for one in found[:MAX_ERRORS])


def _time(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if 0 <= found < 1e12 else None
