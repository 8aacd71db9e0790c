# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /health: what can really be written, now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping

from fastapi import APIRouter
from starlette.responses import JSONResponse

from agentd import __version__
from agentd.api.gateway_status import GatewayView
from agentd.api.health_bodies import (
    AgentsHealth,
    DatabaseHealth,
    HealthBody,
    VolumesHealth,
)
from agentd.api.probes import AgentProbe
from agentd.api.state import Service, ServiceDep
from agentd.database.conversations import count_conversations
from agentd.database.probe import probe_database, probe_directory
from agentd.database.schedules import count_schedules
from agentd.errors import DatabaseFailed
from agentd.log import get_log
from agentd.queue.parts import QueueState

PROBE_TIMEOUT_SECONDS = 4.0
# Without its skills' data an agent still keeps its conversations.
BOUND = ("memory", "sessions")

log = get_log("health")
router = APIRouter(tags=["health"])


def build_commit() -> str:
    """Return the commit that this image was built from."""
    return os.environ.get("AGENTD_COMMIT", "unknown")


@router.get(
    "/health",
    response_model=HealthBody,
    responses={503: {"model": HealthBody, "description": "Control is degraded."}},
)
async def get_health(service: ServiceDep) -> JSONResponse:
    """Return 200, or 503 if control itself cannot write; needs no token.

    What is wrong with an agent or with the model makes the status "degraded", and
    leaves the code at 200: restarting control would not help.
    """
    # Side by side: whoever asks for the health waits for the slowest only.
    database, queue, store, told, model = await asyncio.gather(
        _database(service),
        _queue(service),
        _store(service),
        service.probes.all(),
        service.gateway.view(),
    )
    probes = told.values()
    problems = [
        *problems_of(told, model),
        *problems_of_turns(service.turns.unproved_agents()),
        *service.usage.problems(),
        *problems_of_database(await _set_aside(service) if store else []),
        *(problems_of_queue(queue) if database.ok else []),
    ]
    volumes = VolumesHealth(
        memory=_together(probes, "memory"),
        skills=_together(probes, "skill_data"),
        sessions=_together(probes, "sessions"),
        store=store,
    )
    well = database.ok and store
    body = HealthBody(
        status="ok" if well and not problems else "degraded",
        version=__version__,
        commit=build_commit(),
        build_time=os.environ.get("AGENTD_BUILD_TIME", "unknown"),
        max_execution_ms=round(service.settings.max_execution_seconds * 1000),
        draining=service.turns.draining,
        database=database,
        volumes=volumes,
        agents=_agents(service),
        queue_length=-1 if queue is None else queue.length,
        problems=problems,
    )
    return JSONResponse(body.model_dump(), status_code=200 if well else 503)


def problems_of(probes: Mapping[str, AgentProbe], view: GatewayView) -> list[str]:
    """Return what is wrong beside control itself, in sentences without secrets."""
    found = []
    for name, probe in probes.items():
        broken = [volume for volume in BOUND if probe.volumes.get(volume) is False]
        if broken:
            found.append(f'Agent "{name}" cannot write to {" and ".join(broken)}.')
    if view.asked and not view.reachable:
        found.append("The gateway does not tell how the model is.")
    for name, one in view.agents.items():
        if one.state != "ok":
            found.append(f'Agent "{name}" and the model: {one.state}.')
    if view.faults:
        found.append("The gateway reports faults; its log has them.")
    return found


def problems_of_turns(unproved: Iterable[str]) -> list[str]:
    """Return which agents have a turn that was not found on disk."""
    return [
        f'Agent "{name}": a turn that went well was not found on its disk, and none '
        "since was."
        for name in sorted(unproved)
    ]


def problems_of_database(set_aside: Iterable[str]) -> list[str]:
    """Return which damaged databases wait for somebody to look into them."""
    return [
        f'A damaged database was set aside as "{name}", and an empty one begun. '
        "Restore a backup, or remove that file."
        for name in set_aside
    ]


def problems_of_queue(state: QueueState | None) -> list[str]:
    """Return what is wrong with the queue, in sentences without secrets."""
    if state is None:
        return ["The queue does not answer. Its tasks are kept in the database."]
    if state.problem is not None:
        return [state.problem]
    if not state.reachable:
        return ["Redis cannot be reached. Tasks are taken from the database meanwhile."]
    return []


def _agents(service: Service) -> AgentsHealth:
    states = service.spawner.states().values()
    return AgentsHealth(
        declared=len(service.settings.agents),
        connected=sum(1 for state in states if state.connected),
    )


async def _queue(service: Service) -> QueueState | None:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            return await service.queue.state()
    except (DatabaseFailed, TimeoutError):
        return None


async def _database(service: Service) -> DatabaseHealth:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            await probe_database(service.database, service.clock.now())
            async with service.database.read() as connection:
                count = await count_conversations(connection)
                tasks = await connection.run_sync(count_schedules)
    except (DatabaseFailed, TimeoutError) as error:
        text = str(error) or "The database did not answer in time."
        log.warning("database_unwritable", error=text)
        return DatabaseHealth(ok=False, conversations=0, tasks=0, error=text)
    return DatabaseHealth(ok=True, conversations=count, tasks=tasks)


async def _set_aside(service: Service) -> list[str]:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            return await asyncio.to_thread(service.database.set_aside)
    except TimeoutError:
        return []


async def _store(service: Service) -> bool:
    if service.database.path is None:
        return True
    directory = service.database.path.parent
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            await asyncio.to_thread(probe_directory, directory)
    except (OSError, TimeoutError) as error:
        log.warning("store_unwritable", directory=str(directory), error=str(error))
        return False
    return True


def _together(probes: Iterable[AgentProbe], volume: str) -> bool | None:
    told = [p.volumes.get(volume, p.ok) for p in probes if p.ok or p.volumes]
    return all(told) if told else None
