# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Follows what a task says until its end, whoever runs it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from agentd.api.queue import task_body
from agentd.api.state import Service
from agentd.errors import AgentdError, TaskUnknown
from agentd.output.pieces import END
from agentd.output.protocol import OutputEvent
from agentd.queue.values import ENDED, Task

# How long to wait for words of a task that ended, and when to look into the table.
ENDED_SECONDS = 0.3
LOOK_SECONDS = 2.0

Events = AsyncGenerator[OutputEvent | None, None]


async def follow(service: Service, task: Task, after: str | None) -> Events:
    """Return a task's events until its end; None comes when a while was quiet.

    The end is told as the table of tasks has it, also of a task whose output is gone.
    Raise QueueUnavailable if the output cannot be read now.
    """
    known = task.status in ENDED
    patience = ENDED_SECONDS if known else LOOK_SECONDS
    began = False
    async with aclosing(service.output.read(task.id, after, patience)) as events:
        async for event in events:
            if event is not None and event.event == END:
                yield await _end(service, task, event)
                return
            # The first time comes at once, maybe before what was said just now.
            if event is None and known and began:
                break
            yield event
            began = True
            if event is None and not known:
                known = await _is_known(service, task)
    if known:
        yield await _end(service, task, OutputEvent("", END, {}))


def as_event(event: OutputEvent) -> bytes:
    """Return an event as one that the server sends."""
    named = f"id: {event.id}\n" if event.id else ""
    return f"{named}event: {event.event}\ndata: {json.dumps(event.data)}\n\n".encode()


def as_text(event: OutputEvent) -> str:
    """Return an event as one JSON text."""
    told = {"id": event.id or None, "event": event.event, "data": dict(event.data)}
    return json.dumps(told)


def broken(error: AgentdError) -> OutputEvent:
    """Return the event that says why the output breaks off before its end."""
    return OutputEvent("", "error", {"error": str(error)})


async def _is_known(service: Service, task: Task) -> bool:
    """Return whether the table has the end."""
    try:
        return (await service.queue.task(task.id)).status in ENDED
    except TaskUnknown:
        return True
    except AgentdError:
        # The database is away for now, and the output goes on.
        return False


async def _end(service: Service, task: Task, event: OutputEvent) -> OutputEvent:
    try:
        found = await service.queue.task(task.id)
    except TaskUnknown:
        return OutputEvent(event.id, END, event.data or {"status": "removed"})
    except AgentdError:
        return event
    told = task_body(found).model_dump() if found.status in ENDED else event.data
    return OutputEvent(event.id, END, told)
