# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Scheduled tasks: picoclaw's end points, and the runs that came of each."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from agentd.api.bodies import Label
from agentd.api.errors import refusals
from agentd.api.state import Service, ServiceDep
from agentd.api.task_bodies import (
    CheckBody,
    ExecutionBody,
    NewScheduleBody,
    RunBody,
    RunsBody,
    ScheduleBody,
    ScheduleChangeBody,
    SchedulesBody,
    Status,
    TriggerBody,
)
from agentd.api.times import iso, iso_or_null
from agentd.queue.values import ENDED, Task
from agentd.tasks.values import Schedule, ScheduleChange, new_schedule_id

MAX_TOLD = 10_000
LOOK_SECONDS = 1.0
EMPTY = "The prompt is empty. Say what the agent is to do."
GOES_ON = "The run has not ended yet and goes on. Find its end with GET /task/{}/runs."

router = APIRouter(tags=["tasks"])

Id = Annotated[str, Path(max_length=64, description="The task's id.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
RunLimit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Offset = Annotated[
    int, Query(ge=0, le=2**31, description="How many to leave out first.")
]
OneAgent = Annotated[Label | None, Query(description="Only those of this agent.")]
OneStatus = Annotated[Status | None, Query(description="Only those of this status.")]


@router.post("/task", status_code=201, responses=refusals(400, 401, 413, 503))
async def create(body: NewScheduleBody, service: ServiceDep) -> ScheduleBody:
    """Make a task that is due at times, or once."""
    _demand_words(body.prompt)
    schedule = Schedule(
        id=body.id or new_schedule_id(),
        agent=body.agent or "",
        prompt=body.prompt,
        schedule_type=body.schedule_type,
        schedule_value=body.schedule_value,
        time_zone=body.time_zone or service.settings.time_zone,
        context_mode=body.context_mode,
        status="active",
        created_at=0.0,
        conversation_id=body.conversation_id,
        priority=body.priority,
        definition=body.definition,
        model=body.model,
    )
    return _body(await service.schedules.create(schedule))


@router.get("/tasks", responses=refusals(400, 401, 503))
async def list_all(
    service: ServiceDep,
    agent: OneAgent = None,
    status: OneStatus = None,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> SchedulesBody:
    """Return the tasks in the order in which they were made."""
    found = await service.schedules.listed(
        {"agent": agent, "status": status}, limit=limit + 1, offset=offset
    )
    shown = [_body(one) for one in found[:limit]]
    return SchedulesBody(tasks=shown, more=len(found) > limit)


@router.get("/task/{task_id}", responses=refusals(401, 404, 503))
async def get_one(task_id: Id, service: ServiceDep) -> ScheduleBody:
    """Return one task."""
    return _body(await service.schedules.get(task_id))


@router.put("/task/{task_id}", responses=refusals(400, 401, 404, 413, 503))
async def change(
    task_id: Id, body: ScheduleChangeBody, service: ServiceDep
) -> ScheduleBody:
    """Change a task, pause it, or resume it: what was missed meanwhile is left out."""
    if body.prompt is not None:
        _demand_words(body.prompt)
    wanted = ScheduleChange(**body.model_dump())
    return _body(await service.schedules.change(task_id, wanted))


@router.delete(
    "/task/{task_id}",
    status_code=204,
    response_class=Response,
    responses=refusals(401, 404, 503),
)
async def remove(task_id: Id, service: ServiceDep) -> Response:
    """Remove a task with its runs; one that is under way is cancelled."""
    await service.schedules.remove(task_id)
    return Response(status_code=204)


@router.get("/task/{task_id}/runs", responses=refusals(400, 401, 404, 503))
async def get_runs(
    task_id: Id, service: ServiceDep, limit: RunLimit = 20, offset: Offset = 0
) -> RunsBody:
    """Return the runs of a task that are kept, the latest first."""
    await service.schedules.get(task_id)
    found = await service.queue.list(
        schedule_id=task_id, limit=limit + 1, offset=offset
    )
    shown = [_run(one) for one in found[:limit]]
    return RunsBody(task_id=task_id, runs=shown, more=len(found) > limit)


@router.post("/task/trigger", responses=refusals(400, 401, 404, 409, 413, 503))
async def trigger(body: TriggerBody, service: ServiceDep) -> ExecutionBody:
    """Run a task now and return how it ended; its times stay as they are."""
    task = await service.schedules.trigger(body.task_id)
    return await _ended(service, task, body.task_id)


@router.post("/task/check", responses=refusals(401, 503))
async def check(service: ServiceDep) -> CheckBody:
    """Run the task that is due for the longest time and return how it ended.

    Nobody has to call this: what is due is run by itself.
    """
    checked = await service.schedules.check()
    if checked.task is None:
        none = "No due tasks" if checked.due == 0 else None
        return CheckBody(
            checked=checked.due, executed=None, remaining=checked.left, message=none
        )
    ended = await _ended(service, checked.task, checked.task.schedule_id or "")
    return CheckBody(checked=checked.due, executed=ended, remaining=checked.left)


async def _ended(service: Service, task: Task, schedule_id: str) -> ExecutionBody:
    ended = await _wait(service, task)
    schedule = await service.schedules.get(schedule_id)
    status: Literal["success", "timeout", "error"] = "error"
    error = ended.error
    if ended.status == "completed":
        status = "success"
    elif ended.status not in ENDED:
        status, error = "timeout", GOES_ON.format(schedule_id)
    return ExecutionBody(
        status=status,
        task_id=schedule_id,
        run_id=ended.id,
        conversation_id=ended.conversation_id,
        result=ended.result,
        error=error,
        duration_ms=ended.duration_ms or 0,
        next_run=iso_or_null(schedule.next_run),
    )


async def _wait(service: Service, task: Task) -> Task:
    """Wait for a task's end, or until control stops and leaves it to its next start."""
    queue, clock = service.queue, service.clock
    until = clock.monotonic() + service.settings.task_timeout_seconds
    while True:
        left = until - clock.monotonic()
        found = await queue.finished(task.id, min(LOOK_SECONDS, left))
        stops = service.turns.draining and queue.running_count == 0
        if found.status in ENDED or left <= LOOK_SECONDS or stops:
            return found


def _demand_words(prompt: str) -> None:
    if not prompt.strip():
        raise HTTPException(400, EMPTY)


def _body(schedule: Schedule) -> ScheduleBody:
    return ScheduleBody(
        id=schedule.id,
        conversation_id=schedule.conversation_id,
        agent=schedule.agent,
        prompt=schedule.prompt,
        schedule_type=schedule.schedule_type,
        schedule_value=schedule.schedule_value,
        time_zone=schedule.time_zone,
        context_mode=schedule.context_mode,
        priority=schedule.priority,
        definition=schedule.definition,
        model=schedule.model,
        next_run=iso_or_null(schedule.next_run),
        last_run=iso_or_null(schedule.last_run),
        last_result=schedule.last_result,
        status=schedule.status,
        created_at=iso(schedule.created_at),
    )


def _run(task: Task) -> RunBody:
    return RunBody(
        id=task.id,
        status=task.status,
        attempts=task.attempts,
        conversation_id=task.conversation_id,
        created_at=iso(task.created_at),
        started_at=iso_or_null(task.started_at),
        finished_at=iso_or_null(task.finished_at),
        duration_ms=task.duration_ms,
        cost_usd=task.cost_usd,
        result=None if task.result is None else task.result[:MAX_TOLD],
        error=task.error,
    )
