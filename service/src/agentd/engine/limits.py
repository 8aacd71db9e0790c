# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How many clients may live and start, from the memory and the cores there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentd.settings import AgentEntry, ControlSettings

# What an agent's container needs beside its clients: its side, tools, page cache.
BESIDE_CLIENTS_BYTES = 256 * 1024 * 1024
# Below the connections that an agent may have at all: some close while others open.
MAX_CLIENTS_OF_AGENT = 72


@dataclass(frozen=True)
class PoolLimits:
    """How many clients may live, start and be waited for, and how long.

    ``caps`` are the most clients that single agents may have, by the memory of their
    containers.
    """

    max_live: int
    max_starting: int
    idle_seconds: float
    max_waiting: int = 32
    waiting_seconds: float = 30.0
    agents: tuple[str, ...] = ()
    caps: Mapping[str, int] = field(default_factory=dict)


def limits_of(settings: ControlSettings, cores: int) -> PoolLimits:
    """Return the limits that the settings mean on a machine with so many cores."""
    each = settings.client_memory_bytes
    live = settings.max_live_clients
    if settings.live_memory_bytes is not None:
        live = min(live, max(1, settings.live_memory_bytes // each))
    return PoolLimits(
        max_live=live,
        max_starting=settings.max_starting_clients or max(1, cores),
        idle_seconds=settings.idle_client_seconds,
        max_waiting=settings.max_waiting_turns,
        waiting_seconds=settings.max_waiting_seconds,
        agents=tuple(agent.name for agent in settings.agents),
        caps={agent.name: _cap(agent, each) for agent in settings.agents},
    )


def _cap(agent: AgentEntry, each: int) -> int:
    if agent.memory_bytes is None:
        return MAX_CLIENTS_OF_AGENT
    fitting = max(1, (agent.memory_bytes - BESIDE_CLIENTS_BYTES) // each)
    return min(fitting, MAX_CLIENTS_OF_AGENT)
