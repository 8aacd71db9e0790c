# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Conversations and tasks: lists of them, and each by itself."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from agentd.api.session_bodies import SessionBody
from agentd.api.session_reports import Look, session_body
from agentd.api.state import Service, ServiceDep
from agentd.dashboard.render import page
from agentd.dashboard.routing import pages
from agentd.dashboard.shown import (
    MAX_OFFSET,
    Found,
    asked_page,
    listed,
    looked_badge,
    session_badge,
    task_badge,
)
from agentd.database.conversations import list_messages
from agentd.database.dashboard_lists import (
    ConversationsWanted,
    ShownConversation,
    shown_conversation,
    shown_conversations,
)
from agentd.database.sessions import find_session
from agentd.database.transcripts import stored_sizes
from agentd.errors import AgentdError, ConversationUnknown

MESSAGES = 40
LOGS = 100
LOOK_SECONDS = 5.0
STATES = {
    "running": "in a turn",
    "proved": "resumes",
    "unproved": "unproved",
    "fresh": "without a session",
}
STATUSES = ("queued", "running", "completed", "failed", "cancelled")

router = pages()

Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]
Word = Annotated[str, Query(max_length=64)]
Text = Annotated[str, Query(max_length=200)]
Id = Annotated[str, Path(max_length=64)]
State = Annotated[Literal["", "running", "proved", "unproved", "fresh"], Query()]

Status = Annotated[
    Literal["", "queued", "running", "completed", "failed", "cancelled"], Query()
]


def asked_conversations(
    agent: Word = "", state: State = "", text: Text = ""
) -> ConversationsWanted:
    """Return what a filter asks for."""
    return ConversationsWanted(agent or None, state or None, text.strip())


Asked = Annotated[ConversationsWanted, Depends(asked_conversations)]


@router.get("/conversations")
async def conversations(
    request: Request, service: ServiceDep, asked: Asked, offset: Offset = 0
) -> Response:
    """Show conversations with whether they would go on, the latest first."""
    wanted = asked_page(offset)
    async with service.database.read() as connection:
        found = await connection.run_sync(shown_conversations, asked, wanted)
    chosen = {"agent": asked.agent, "state": asked.state, "text": asked.text}
    values = {
        "listed": listed(
            [(one, session_badge(one, service.engine)) for one in found],
            wanted,
            Found(request.url.path, chosen),
        ),
        "chosen": chosen,
        "agents": _names(service),
        "states": STATES,
    }
    return await page(request, "conversations", values)


@router.get("/conversations/{conversation_id}")
async def conversation(
    request: Request, conversation_id: Id, service: ServiceDep
) -> Response:
    """Show one conversation, and what its agent finds of its session."""
    async with service.database.read() as connection:
        one = await connection.run_sync(shown_conversation, conversation_id)
        if one is None:
            raise ConversationUnknown(
                f'Conversation "{conversation_id}" does not exist. It may have been '
                "removed."
            )
        messages = await list_messages(
            connection,
            one.id,
            limit=MESSAGES,
            offset=max(one.message_count - MESSAGES, 0),
        )
    session = await _session(service, one)
    values = {
        "one": one,
        "badge": looked_badge(session) or session_badge(one, service.engine),
        "session": session,
        "messages": messages,
        "left_out": max(one.message_count - MESSAGES, 0),
    }
    return await page(request, "conversation", values)


@router.get("/tasks")
async def tasks(
    request: Request,
    service: ServiceDep,
    agent: Word = "",
    status: Status = "",
    offset: Offset = 0,
) -> Response:
    """Show tasks, the newest first, and what is scheduled."""
    wanted = asked_page(offset)
    chosen = {"agent": agent or None, "status": status or None}
    found = await service.queue.list(
        agent=agent or None,
        status=status or None,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    schedules = await service.schedules.listed(
        {"agent": agent or None}, limit=50, offset=0
    )
    values = {
        "listed": listed(
            [(one, task_badge(one.status)) for one in found],
            wanted,
            Found(request.url.path, chosen),
        ),
        "chosen": chosen,
        "agents": _names(service),
        "statuses": STATUSES,
        "schedules": [] if offset else schedules,
    }
    return await page(request, "tasks", values)


@router.get("/tasks/{task_id}")
async def task(request: Request, task_id: Id, service: ServiceDep) -> Response:
    """Show one task with its log."""
    one = await service.queue.task(task_id)
    values = {
        "one": one,
        "badge": task_badge(one.status),
        "lines": await service.queue.logs(task_id, LOGS, 0),
    }
    return await page(request, "task", values)


async def _session(service: Service, one: ShownConversation) -> SessionBody | None:
    """Return what is known of a conversation's session, and what its agent finds."""
    if one.session_id is None:
        return None
    async with service.database.read() as connection:
        known = [
            found
            for found in await find_session(connection, one.session_id)
            if found.conversation_id == one.id
        ]
        key = (one.agent, one.session_id)
        stored = await stored_sizes(connection, [key])
    if not known:
        return None
    scan = await _scan(service, one.agent, one.session_id)
    look = Look(
        live=service.engine.live(one.id) == one.session_id,
        scanned=True,
        scan=scan,
        stored_bytes=stored.get(key),
    )
    return session_body(known[0], look)


async def _scan(
    service: Service, agent: str, session_id: str
) -> dict[str, object] | None:
    if agent not in service.spawner.states():
        return None
    try:
        answer = await service.spawner.call(
            agent,
            "scan_transcripts",
            {"session_ids": [session_id]},
            timeout_seconds=LOOK_SECONDS,
        )
    except AgentdError:
        return None
    told = answer.get("sessions")
    scan = told.get(session_id) if isinstance(told, dict) else None
    return scan if isinstance(scan, dict) else None


def _names(service: Service) -> list[str]:
    return [entry.name for entry in service.settings.agents]
