# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /agents: the declared agents and how they are."""

from __future__ import annotations

from fastapi import APIRouter

from agentd.api.bodies import AgentBody
from agentd.api.errors import refusals
from agentd.api.state import ServiceDep

NOT_CONNECTED = "Its side is not connected. Start its container."

router = APIRouter(tags=["agents"])


@router.get("/agents", responses=refusals(401))
async def list_agents(service: ServiceDep) -> list[AgentBody]:
    """Return every declared agent, with what it could really write."""
    probes = await service.probes.all()
    states = service.spawner.states()
    counts = service.engine.live_counts()
    agents = []
    for entry in service.settings.agents:
        probe = probes.get(entry.name)
        connected = states[entry.name].connected
        agents.append(
            AgentBody(
                name=entry.name,
                connected=connected,
                ok=connected and probe is not None and probe.ok,
                errors=[NOT_CONNECTED] if probe is None else list(probe.errors),
                live_conversations=counts.get(entry.name, 0),
            )
        )
    return agents
