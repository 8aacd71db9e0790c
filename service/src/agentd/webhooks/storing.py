# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Stores an event and the task that it gives by one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from agentd.database.tasks import count_queued, insert_tasks
from agentd.database.webhooks import (
    IGNORED,
    begun_with,
    find_event,
    given_lately,
    put_event,
    remove_events,
)
from agentd.database.writer import Transaction
from agentd.errors import QueueFull
from agentd.queue.values import NewTask, Task
from agentd.webhooks.judge import WORDLESS
from agentd.webhooks.values import (
    Clean,
    Decision,
    Dispatch,
    Event,
    Ignore,
    Receipt,
    Received,
    Source,
)

# A forge tells of one deed of somebody's by several events.
LATELY_SECONDS = 60.0
DAY_SECONDS = 86_400.0
IGNORED_DAYS, KEPT_DAYS = 30, 365
REMOVED_AT_ONCE = 20


@dataclass(frozen=True)
class Storage:
    """An event that was judged, to be stored."""

    source: Source
    delivery: str
    digest: str
    event: Event
    decision: Decision
    now: float
    max_queued: int

    @property
    def task_id(self) -> str:
        """Return the id that its task has, however often it comes."""
        return f"task-{uuid.UUID(self.digest[:32])}"


def store(connection: Transaction, storage: Storage) -> tuple[Receipt, Task | None]:
    """Store an event; return what became of it, and its task if it gave one.

    Raise QueueFull, with nothing stored.
    """
    key = storage.source, storage.digest, storage.delivery
    known = find_event(connection, *key)
    if known is not None and known.outcome != IGNORED:
        return Receipt(known, repeated=True), None
    received, new = _received(connection, storage)
    number = put_event(connection, storage.digest, received)
    if number is None:
        # It came twice at the same time, and the other one was first.
        other = find_event(connection, *key)
        return Receipt(other or received, repeated=True), None
    task = None if new is None else _queue(connection, storage, new)
    _forget_old(connection, storage.now)
    return Receipt(replace(received, number=number), repeated=False), task


def _received(
    connection: Transaction, storage: Storage
) -> tuple[Received, NewTask | None]:
    """Return what is noted of an event, and the task that it gives."""
    event, decision = storage.event, storage.decision
    new: NewTask | None = None
    detail: str | None = None
    if isinstance(decision, Dispatch):
        new = _as_begun(connection, decision.task)
        other = _task_given(connection, storage, new)
        if other is not None:
            new, detail = None, f'task "{other}" was given for it a moment ago'
    elif isinstance(decision, Ignore):
        detail = decision.reason
    cleans = isinstance(decision, Clean)
    noted = Received(
        number=0,
        source=storage.source,
        delivery=storage.delivery,
        event=event.event,
        action=event.action or None,
        repository=None if isinstance(decision, Ignore) else _repository(decision),
        issue=event.number[:64] or None,
        branch=decision.branch if isinstance(decision, Clean) else None,
        received_at=storage.now,
        outcome="dispatched" if new else "cleaning" if cleans else "ignored",
        detail=detail,
        task_id=storage.task_id if new else None,
    )
    return noted, new


def _repository(decision: Dispatch | Clean) -> str | None:
    if isinstance(decision, Clean):
        return decision.repository
    return decision.task.repository


def _as_begun(connection: Transaction, new: NewTask) -> NewTask:
    """Return the task with the branch and definition that its conversation keeps."""
    begun = begun_with(connection, new.agent, new.repository or "", new.issue or "")
    if begun is None:
        return new
    return replace(new, branch=begun[0], definition=begun[1])


def _task_given(connection: Transaction, storage: Storage, new: NewTask) -> str | None:
    if storage.event.action not in WORDLESS:
        return None
    since = storage.now - LATELY_SECONDS
    about = new.repository or "", new.issue or ""
    return given_lately(connection, new.agent, *about, since)


def _queue(connection: Transaction, storage: Storage, new: NewTask) -> Task:
    most = storage.max_queued
    if count_queued(connection, most) >= most:
        raise QueueFull(
            f"Cannot take this webhook: {most} tasks wait already. Have it delivered "
            "again when some have ended, or set max_queued_tasks to more."
        )
    return insert_tasks(connection, [(storage.task_id, new)], storage.now)[0]


def _forget_old(connection: Transaction, now: float) -> None:
    ignored = now - IGNORED_DAYS * DAY_SECONDS
    kept = now - KEPT_DAYS * DAY_SECONDS
    remove_events(connection, ignored, kept, REMOVED_AT_ONCE)
