# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Runs of tasks: claimed, bound to a turn, ended.

A task is claimed by the one update that turns it from queued to running, so that two
workers never have the same one, whoever told them of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Update,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from agentd.database.tables import conversations
from agentd.database.task_tables import hosts, tasks
from agentd.database.tasks import (
    CANCELLED,
    COLUMNS,
    IS_QUEUED,
    IS_RUNNING,
    QUEUED,
    RUNNING,
    task_of,
)
from agentd.queue.values import ENDED, RANKS, Task, TaskEnd, TaskStatus

# So many agents are asked for one by one, more are first asked for together.
FEW = 3
# The column takes no more: 24 days, which a host that was down or a clock may pass.
LONGEST_MS = 2**31 - 1
OF_A_RUN = {"host": None, "worker": None, "started_at": None, "published_at": None}


@dataclass(frozen=True)
class Worker:
    """Who takes tasks: a host, and the instance of control that it runs."""

    host: str
    instance: str


@dataclass(frozen=True)
class Wanted:
    """What may be taken of one agent, and how long it may have been published for.

    What was published later is on its way to a worker and is left to it; what was
    never published is taken in any case.
    """

    agent: str
    count: int
    published_before: float | None = None


def waiting_agents(
    connection: Connection,
    agents: Sequence[str],
    now: float,
    published_before: float | None,
) -> list[str]:
    """Return those of the agents for which something waits, in the same order."""
    if len(agents) <= FEW:
        return list(agents)
    found = connection.scalars(
        union_all(
            *(
                select(literal(agent)).where(
                    exists(_waiting(Wanted(agent, 1, published_before), now))
                )
                for agent in agents
            )
        )
    ).all()
    return [agent for agent in agents if agent in found]


def claim_next(
    connection: Connection, worker: Worker, wanted: Wanted, now: float
) -> list[Task]:
    """Take the next tasks of an agent: by priority, then in the order of acceptance."""
    picked = (
        _waiting(wanted, now)
        .order_by(tasks.c.rank, tasks.c.number)
        .limit(wanted.count)
        .with_for_update(skip_locked=True)
    )
    numbers = connection.scalars(picked).all()
    if not numbers:
        return []
    claim = _claim(worker, now).where(tasks.c.number.in_(numbers))
    return _claimed(connection, claim)


def _waiting(wanted: Wanted, now: float) -> Select[tuple[int]]:
    found = select(tasks.c.number).where(
        tasks.c.agent == wanted.agent,
        IS_QUEUED,
        tasks.c.available_at <= now,
    )
    if wanted.published_before is None:
        return found
    return found.where(
        or_(
            tasks.c.published_at.is_(None),
            tasks.c.published_at < wanted.published_before,
        )
    )


def claim_ids(
    connection: Connection, worker: Worker, ids: Sequence[str], now: float
) -> list[Task]:
    """Take those of the named tasks that wait."""
    if not ids:
        return []
    claim = _claim(worker, now).where(tasks.c.id.in_(ids), tasks.c.available_at <= now)
    return _claimed(connection, claim)


def _claim(worker: Worker, now: float) -> Update:
    return (
        update(tasks)
        .where(IS_QUEUED)
        .values(
            status=RUNNING,
            host=worker.host,
            worker=worker.instance,
            started_at=now,
            attempts=tasks.c.attempts + 1,
        )
    )


def _claimed(connection: Connection, claim: Update) -> list[Task]:
    rows = connection.execute(claim.returning(*COLUMNS))
    found = [task_of(row) for row in rows]
    return sorted(found, key=lambda task: (RANKS[task.priority], task.number))


def store_ends(
    connection: Connection, ends: Sequence[tuple[Task, TaskEnd]], now: float
) -> list[tuple[Task, TaskEnd]]:
    """Store how runs ended; what somebody else ended or took meanwhile is left.

    A run that ended ``queued`` goes back into the queue, at once or later; one that
    was asked to be cancelled meanwhile is cancelled. Return the ends as they became.
    """
    ended = [_ended(task, end, now) for task, end in ends if end.status in ENDED]
    back = [_back(task, end, now) for task, end in ends if end.status == QUEUED]
    held = (
        update(tasks)
        .where(
            tasks.c.id == bindparam("of_id"),
            IS_RUNNING,
            tasks.c.worker == bindparam("of_worker"),
            tasks.c.attempts == bindparam("of_attempts"),
            tasks.c.started_at == bindparam("of_started_at"),
        )
        .execution_options(synchronize_session=False)
    )
    if ended:
        connection.execute(held.values(_named(ended[0])), ended)
    if not back:
        return list(ends)
    connection.execute(held.values(_named(back[0])), back)
    cancelled = set(
        connection.scalars(
            update(tasks)
            .where(
                tasks.c.id.in_([one["of_id"] for one in back]),
                IS_QUEUED,
                tasks.c.cancel_requested,
            )
            .values(status=CANCELLED, finished_at=now)
            .returning(tasks.c.id)
        )
    )
    instead = TaskEnd(CANCELLED)
    return [(task, instead if task.id in cancelled else end) for task, end in ends]


def _named(row: Mapping[str, object]) -> dict[str, BindParameter[Any]]:
    """Return for each column of the row the place that its value goes to."""
    return {name: bindparam(name) for name in row if not name.startswith("of_")}


def _held(task: Task) -> dict[str, object]:
    return {
        "of_id": task.id,
        "of_worker": task.worker,
        "of_attempts": task.attempts,
        "of_started_at": task.started_at,
    }


def _ended(task: Task, end: TaskEnd, now: float) -> dict[str, object]:
    began = now if task.started_at is None else task.started_at
    return {
        **_held(task),
        "status": end.status,
        "finished_at": now,
        "result": end.result,
        "error": end.error,
        "cost_usd": end.cost_usd,
        "duration_ms": min(max(0, round((now - began) * 1000)), LONGEST_MS),
    }


def _back(task: Task, end: TaskEnd, now: float) -> dict[str, object]:
    again = end.again_seconds
    return {
        **_held(task),
        **OF_A_RUN,
        "status": QUEUED,
        "available_at": now + (again or 0),
        # To wait for something is no attempt.
        "attempts": task.attempts if again is None else task.attempts - 1,
        "error": end.error,
    }


def bind_turn(
    connection: Connection, task: Task, conversation_id: str, turn_uuid: str
) -> bool:
    """Note in which turn a task is run, and its conversation if that is there yet.

    Return False if the task was taken away from this run, or removed.
    """
    known = select(conversations.c.id).where(conversations.c.id == conversation_id)
    bound = connection.execute(
        update(tasks)
        .where(
            tasks.c.id == task.id,
            IS_RUNNING,
            tasks.c.worker == task.worker,
            tasks.c.started_at == task.started_at,
        )
        .values(
            turn_uuid=turn_uuid,
            conversation_id=func.coalesce(
                known.scalar_subquery(), tasks.c.conversation_id
            ),
        )
    )
    return bound.rowcount > 0


def running_tasks(
    connection: Connection, hosts_asked: Iterable[str] | None
) -> list[Task]:
    """Return what is said to run at these hosts and at unknown ones, or at any."""
    wanted = select(*COLUMNS).where(IS_RUNNING)
    if hosts_asked is not None:
        known = select(hosts.c.name)
        wanted = wanted.where(
            or_(tasks.c.host.in_(list(hosts_asked)), tasks.c.host.not_in(known))
        )
    rows = connection.execute(wanted.order_by(tasks.c.number))
    return [task_of(row) for row in rows]


def statuses(
    connection: Connection, ids: Sequence[str]
) -> dict[str, tuple[TaskStatus, float]]:
    """Return of each task that is there its status, and when it may begin."""
    rows = connection.execute(
        select(tasks.c.id, tasks.c.status, tasks.c.available_at).where(
            tasks.c.id.in_(ids)
        )
    )
    return {
        row.id: (cast(TaskStatus, row.status), float(row.available_at)) for row in rows
    }
