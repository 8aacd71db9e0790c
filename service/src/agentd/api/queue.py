# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The queue: tasks that wait, run and ended, and what was no task."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from agentd.api.bodies import Label
from agentd.api.errors import refusals
from agentd.api.queue_bodies import (
    DeadItemBody,
    DeadItemsBody,
    LogLineBody,
    NewTaskBody,
    QueueBody,
    Status,
    TaskBody,
    TaskLogBody,
)
from agentd.api.state import Service, ServiceDep
from agentd.api.times import LATEST, iso, iso_or_null
from agentd.database.conversations import get_conversation
from agentd.errors import ConversationUnknown
from agentd.queue.values import NewTask, Task

EMPTY = "The prompt is empty. Say what the agent is to do."
NEVER = "available_at is out of range. Send a time between 1970 and 9999."

router = APIRouter(tags=["queue"])

Id = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="The id of the task, as POST /queue answered it.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Offset = Annotated[
    int, Query(ge=0, le=2**31, description="How many to leave out first.")
]
OneAgent = Annotated[Label | None, Query(description="Only those of this agent.")]
OneStatus = Annotated[Status | None, Query(description="Only those of this status.")]


@router.post("/queue", status_code=202, responses=refusals(400, 401, 404, 413, 503))
async def accept(body: NewTaskBody, service: ServiceDep) -> TaskBody:
    """Queue a task; it is on disk when this answers, and is run to an end."""
    if not body.prompt.strip():
        raise HTTPException(400, EMPTY)
    available_at = None
    if body.available_at is not None:
        available_at = body.available_at.timestamp()
        if not 0 <= available_at <= LATEST:
            raise HTTPException(400, NEVER)
    return task_body(
        await service.queue.accept(
            NewTask(
                agent=await _agent_of(body, service),
                prompt=body.prompt,
                priority=body.priority,
                conversation_id=body.conversation_id,
                definition=body.definition,
                model=body.model,
                timeout_seconds=body.timeout_seconds,
                available_at=available_at,
                repository=_stored(body, service),
                issue=body.issue,
                branch=body.branch,
                prompt_if_resumed=body.prompt_if_resumed,
            )
        )
    )


@router.get("/queue", responses=refusals(400, 401, 404, 503))
async def list_all(
    service: ServiceDep,
    agent: OneAgent = None,
    status: OneStatus = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> QueueBody:
    """Return tasks, the newest first; long words are cut."""
    if agent is not None:
        service.settings.agent(agent)
    found = await service.queue.list(
        agent=agent,
        status=status,
        limit=limit + 1,
        offset=offset,
    )
    return QueueBody(
        tasks=[task_body(one) for one in found[:limit]], more=len(found) > limit
    )


@router.get("/queue/{queued_id}", responses=refusals(400, 401, 404, 503))
async def get_one(queued_id: Id, service: ServiceDep) -> TaskBody:
    """Return one task, with its result or error when it ended."""
    return task_body(await service.queue.task(queued_id))


@router.delete(
    "/queue/{queued_id}",
    status_code=204,
    response_class=Response,
    responses=refusals(400, 401, 404, 409, 503),
)
async def remove(queued_id: Id, service: ServiceDep) -> Response:
    """Remove a task that does not run, with its log."""
    await service.queue.remove(queued_id)
    return Response(status_code=204)


@router.post("/queue/{queued_id}/cancel", responses=refusals(400, 401, 404, 503))
async def cancel(queued_id: Id, service: ServiceDep) -> TaskBody:
    """Cancel a task: at once if it waits, soon if it runs.

    One that ended is answered as it is.
    """
    return task_body(await service.queue.cancel(queued_id))


@router.get("/queue/{queued_id}/logs", responses=refusals(400, 401, 404, 503))
async def get_log(
    queued_id: Id, service: ServiceDep, limit: Limit = 100, offset: Offset = 0
) -> TaskLogBody:
    """Return what happened to a task, the oldest first."""
    found = await service.queue.logs(queued_id, limit + 1, offset)
    lines = [
        LogLineBody(at=iso(one.at), event=one.event, detail=one.detail)
        for one in found[:limit]
    ]
    return TaskLogBody(id=queued_id, lines=lines, more=len(found) > limit)


@router.get("/queue-dead", responses=refusals(400, 401, 503))
async def get_dead(
    service: ServiceDep, limit: Limit = 100, offset: Offset = 0
) -> DeadItemsBody:
    """Return what came through the queue and was no task of ours."""
    found = await service.queue.dead(limit + 1, offset)
    items = [
        DeadItemBody(
            at=iso(one.at), source=one.source, item=one.item, reason=one.reason
        )
        for one in found[:limit]
    ]
    return DeadItemsBody(items=items, more=len(found) > limit)


def task_body(task: Task) -> TaskBody:
    """Return the body that tells of a task."""
    return TaskBody(
        id=task.id,
        status=task.status,
        agent=task.agent,
        priority=task.priority,
        prompt=task.prompt,
        conversation_id=task.conversation_id,
        schedule_id=task.schedule_id,
        repository=task.repository,
        issue=task.issue,
        branch=task.branch,
        prompt_if_resumed=task.prompt_if_resumed,
        definition=task.definition,
        model=task.model,
        timeout_seconds=task.timeout_seconds,
        attempts=task.attempts,
        cancel_requested=task.cancel_requested,
        host=task.host,
        created_at=iso(task.created_at),
        available_at=iso(task.available_at),
        started_at=iso_or_null(task.started_at),
        finished_at=iso_or_null(task.finished_at),
        duration_ms=task.duration_ms,
        cost_usd=task.cost_usd,
        result=task.result,
        error=task.error,
    )


def _stored(body: NewTaskBody, service: Service) -> str | None:
    """Return the repository as it is stored; raise WorkRefused for none to work in."""
    if body.repository is None:
        return None
    if body.branch is not None:
        service.work.tree(body.repository, body.branch)
    return service.work.stored(body.repository)


async def _agent_of(body: NewTaskBody, service: Service) -> str:
    """Return whom a task is for: a conversation stays with its agent."""
    if body.agent is not None:
        service.settings.agent(body.agent)
    if body.conversation_id is None:
        return body.agent or service.settings.agents[0].name
    async with service.database.read() as connection:
        found = await get_conversation(connection, body.conversation_id)
    if found is None:
        raise ConversationUnknown(
            f'Conversation "{body.conversation_id}" does not exist. Leave '
            "conversation_id out to begin one."
        )
    if body.agent not in {None, found.agent}:
        raise HTTPException(
            400,
            f'Conversation "{found.id}" is one of agent "{found.agent}", not of '
            f'"{body.agent}". Leave agent out.',
        )
    return found.agent
