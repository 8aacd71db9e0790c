# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The first page, and that of one agent: how everything is now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from agentd.api.agents import list_agents
from agentd.api.health import get_health
from agentd.api.health_bodies import AgentBody
from agentd.api.state import Service, ServiceDep
from agentd.dashboard.history import every_seconds, usage_plot
from agentd.dashboard.render import page
from agentd.dashboard.routing import pages
from agentd.dashboard.shown import (
    Badge,
    outcome_badge,
    session_badge,
    task_badge,
)
from agentd.database.dashboard_figures import (
    Sample,
    Totals,
    count_totals,
    last_usage,
)
from agentd.database.dashboard_lists import (
    ConversationsWanted,
    Page,
    ShownConversation,
    ShownEvent,
    ShownSweep,
    shown_conversations,
    shown_events,
    shown_sweeps,
)
from agentd.database.records import Record, list_records
from agentd.queue.values import Task

FEW = 6
WEEK = 7 * 86_400
DAY = 86_400

router = pages()

Name = Annotated[str, Path(max_length=64)]


@dataclass(frozen=True)
class Known:
    """What the database knows that the first pages show."""

    totals: Totals
    conversations: Sequence[ShownConversation]
    events: Sequence[ShownEvent]
    sweep: ShownSweep | None
    records: dict[str, Record]
    used: Sample | None

    def used_by(self, agent: str) -> int | None:
        """Return how many bytes an agent's state takes, by the last sample."""
        if self.used is None:
            return None
        sizes = [
            size
            for (owner, _area), (size, _files) in self.used.amounts.items()
            if owner == agent
        ]
        return sum(sizes) if sizes else None

    @property
    def used_bytes(self) -> int | None:
        """Return how many bytes everything takes, by the last sample."""
        if self.used is None:
            return None
        return sum(size for size, _files in self.used.amounts.values())


@router.get("")
async def overview(request: Request, service: ServiceDep) -> Response:
    """Show how the deployment is: agents, what runs, what is kept, what was told."""
    health = json.loads(bytes((await get_health(service)).body))
    agents = await list_agents(service)
    known = await _known(service, None)
    values = {
        "health": health,
        "agents": [(one, agent_badge(one), model_badge(one)) for one in agents],
        "live": sum(one.live_conversations for one in agents),
        "known": known,
        "plot": await usage_plot(service, WEEK, None),
        **await _lists(service, known, None),
    }
    return await page(request, "overview", values)


@router.get("/agents/{name}")
async def agent(request: Request, name: Name, service: ServiceDep) -> Response:
    """Show one agent."""
    service.settings.agent(name)
    agents = {one.name: one for one in await list_agents(service)}
    one = agents[name]
    known = await _known(service, name)
    values = {
        "agent": one,
        "badge": agent_badge(one),
        "model": model_badge(one),
        "known": known,
        "areas": _areas(known, name),
        "plot": await usage_plot(service, WEEK, name),
        **await _lists(service, known, name),
    }
    return await page(request, "agent", values)


def agent_badge(one: AgentBody) -> Badge:
    """Return how an agent is, in a word."""
    if not one.connected:
        return Badge("away", "bad", "Its side is not connected. Start its container.")
    if not one.ok:
        return Badge("failing", "bad", " ".join(one.errors))
    if one.unproved:
        return Badge("unproved", "warn", "A turn was not found on its disk.")
    if one.warnings:
        return Badge("warned", "warn", " ".join(one.warnings))
    return Badge("well", "good")


def model_badge(one: AgentBody) -> Badge | None:
    """Return how an agent stands with the model, or None if nobody tells."""
    if one.model is None:
        return None
    tone: Any = "good" if one.model.state == "ok" else "warn"
    return Badge(one.model.state.replace("_", " "), tone, one.model.reason or "")


async def _known(service: Service, agent: str | None) -> Known:
    since, every = service.clock.now() - DAY, every_seconds(service)

    wanted, few = ConversationsWanted(agent=agent), Page(limit=FEW)
    async with service.database.read() as connection:
        look = connection.run_sync
        # What only told what it would remove was none.
        sweeps = await look(partial(shown_sweeps, dry_runs=False), Page(limit=1))
        return Known(
            totals=await look(count_totals, since),
            conversations=await look(shown_conversations, wanted, few),
            events=[] if agent else await look(shown_events, {}, few),
            sweep=sweeps[0] if sweeps else None,
            records={one.kind: one for one in await look(list_records)},
            used=await look(last_usage, every, agent),
        )


async def _lists(
    service: Service, known: Known, agent: str | None
) -> dict[str, object]:
    tasks: Sequence[Task] = await service.queue.list(
        agent=agent, status=None, limit=FEW, offset=0
    )
    return {
        "conversations": [
            (one, session_badge(one, service.engine)) for one in known.conversations
        ],
        "tasks": [(one, task_badge(one.status)) for one in tasks],
        "events": [(one, outcome_badge(one.outcome)) for one in known.events],
    }


def _areas(known: Known, agent: str) -> list[tuple[str, int, int]]:
    if known.used is None:
        return []
    found = [
        (area, size, files)
        for (owner, area), (size, files) in known.used.amounts.items()
        if owner == agent
    ]
    return sorted(found, key=lambda one: -one[1])
