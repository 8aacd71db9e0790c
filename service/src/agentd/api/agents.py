# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /agents: the declared agents and how they are."""

from __future__ import annotations

from fastapi import APIRouter

from agentd.api.errors import refusals
from agentd.api.gateway_status import ModelView
from agentd.api.health_bodies import AgentBody, ModelBody
from agentd.api.probes import AgentProbe
from agentd.api.state import ServiceDep
from agentd.api.times import iso_or_null

NOT_CONNECTED = AgentProbe(
    ok=False, errors=("Its side is not connected. Start its container.",)
)

router = APIRouter(tags=["agents"])


@router.get("/agents", responses=refusals(401))
async def list_agents(service: ServiceDep) -> list[AgentBody]:
    """Return every declared agent: what it could really write, and its model."""
    probes = await service.probes.all()
    view = await service.gateway.view()
    states = service.spawner.states()
    counts = service.engine.live_counts()
    unproved = service.turns.unproved_agents()
    agents = []
    for entry in service.settings.agents:
        probe = probes.get(entry.name, NOT_CONNECTED)
        connected = states[entry.name].connected
        taken = service.usage.problem_of(entry.name)
        agents.append(
            AgentBody(
                name=entry.name,
                connected=connected,
                ok=connected and probe.ok,
                errors=list(probe.errors),
                warnings=[*probe.warnings, *([] if taken is None else [taken])],
                unproved=entry.name in unproved,
                live_conversations=counts.get(entry.name, 0),
                credentials=probe.credentials,
                credentials_expire_at=iso_or_null(probe.credentials_expire_at),
                model=model_body(view.agents.get(entry.name)),
            )
        )
    return agents


def model_body(view: ModelView | None) -> ModelBody | None:
    """Return how an agent stands with the model, or null if nobody tells."""
    if view is None:
        return None
    return ModelBody(
        state=view.state,
        since=iso_or_null(view.since),
        retry_after=iso_or_null(view.retry_after),
        reason=view.reason,
        sign_in=view.sign_in,
        running=view.running,
        usage=dict(view.numbers),
        budget=None if view.budget is None else dict(view.budget),
    )
