# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an operator asks of a running service: its skills, and to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from agentd.api.bodies import Label
from agentd.api.errors import refusals
from agentd.api.idle_clients import close_idle
from agentd.api.skill_bodies import (
    AgentSkillsBody,
    ReloadBody,
    ReloadedAnswer,
    SkillsAnswer,
    SkillsBody,
    StopBody,
    StoppingAnswer,
)
from agentd.api.skill_reports import read_report
from agentd.api.state import Service, ServiceDep
from agentd.errors import AgentdError

READ_SECONDS = 10.0
SYNC_SECONDS = 60.0
STOPPING = "Running turns may end; then the service exits."

router = APIRouter(tags=["admin"])

OneAgent = Annotated[
    Label | None, Query(description="The one agent to tell of; all of them without.")
]


@router.get("/admin/skills", responses=refusals(400, 401, 404, 503))
async def get_skills(service: ServiceDep, agent: OneAgent = None) -> SkillsAnswer:
    """Return the skills of each agent, as its last sync left them.

    Those of the first agent, or of the one that is named, stand alone too.
    """
    asked = await _ask(service, "skills", agent, READ_SECONDS)
    return SkillsAnswer(skills=_first(asked), agents=_bodies(asked))


@router.post("/admin/reload-skills", responses=refusals(400, 401, 404, 413, 503))
async def reload_skills(
    service: ServiceDep, body: ReloadBody | None = None
) -> ReloadedAnswer:
    """Sync the skills anew, without a restart, and return what is there now.

    Live clients know only the skills that they started with: those that are idle are
    closed, and the next turn of their conversation resumes. So are, at the next
    reload, those that were in a turn, though nothing else changed meanwhile.
    """
    agent = body.agent if body is not None else None
    asked = await reload_agents(service, agent)
    return ReloadedAnswer(skills=_first(asked), agents=_bodies(asked))


async def reload_agents(
    service: Service, agent: str | None
) -> dict[str, SkillsBody | AgentdError]:
    """Sync the skills of one agent or of all, and close the idle clients of each."""
    asked = await _ask(service, "sync_skills", agent, SYNC_SECONDS)
    # Each beside the others: no agent keeps them waiting, and none is left out
    # because another is away.
    failed: list[Exception] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            for name, told in asked.items():
                if isinstance(told, SkillsBody):
                    tasks.create_task(_close_idle(service, name, told))
    except* AgentdError as errors:
        failed.extend(errors.exceptions)
    if failed:
        raise failed[0]
    return asked


@router.post("/control/stop", responses=refusals(400, 401, 413, 501))
async def stop(service: ServiceDep, body: StopBody | None = None) -> StoppingAnswer:
    """Let running turns end, then exit with status 0.

    Whether the container starts again is for its restart policy to say.
    """
    if service.stop is None:
        raise HTTPException(501, "Cannot stop: nothing here could be told to.")
    reason = ((body.reason if body is not None else None) or "").strip() or "api-stop"
    service.stop(reason)
    return StoppingAnswer(reason=reason, message=STOPPING)


async def _close_idle(service: Service, agent: str, told: SkillsBody) -> None:
    """Close the agent's live clients; warn if some are in a turn."""
    busy = await close_idle(service, agent)
    if busy:
        told.warnings.append(
            f"Turns that run now keep the skills from before: {busy}. Reload again."
        )


async def _ask(
    service: Service, call: str, agent: str | None, seconds: float
) -> dict[str, SkillsBody | AgentdError]:
    names = _chosen(service, agent)
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(_one(service, name, call, seconds)) for name in names
        ]
    return dict(zip(names, (task.result() for task in asked), strict=True))


def _first(asked: Mapping[str, SkillsBody | AgentdError]) -> SkillsBody:
    """Return what the first agent told; raise what it could not."""
    first = next(iter(asked.values()))
    if isinstance(first, AgentdError):
        raise first
    return first


def _bodies(
    asked: Mapping[str, SkillsBody | AgentdError],
) -> dict[str, AgentSkillsBody]:
    return {
        name: AgentSkillsBody(error=str(one))
        if isinstance(one, AgentdError)
        else AgentSkillsBody(skills=one)
        for name, one in asked.items()
    }


async def _one(
    service: Service, agent: str, call: str, seconds: float
) -> SkillsBody | AgentdError:
    try:
        answer = await service.spawner.call(agent, call, {}, timeout_seconds=seconds)
    except AgentdError as error:
        return error
    report = read_report(answer)
    service.expected.expect(agent, report)
    return report.model_copy(update={"missing": list(service.expected.missing(agent))})


def _chosen(service: Service, agent: str | None) -> Sequence[str]:
    if agent is None:
        return [entry.name for entry in service.settings.agents]
    return [service.settings.agent(agent).name]
