# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the dashboard lists: conversations, webhooks received and sweeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from agentd.database.tables import conversations, sessions
from agentd.database.work_tables import sweeps, webhook_events

MAX_PROBLEMS = 20


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted."""

    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class ConversationsWanted:
    """Which conversations are wanted; what is None or empty bounds nothing."""

    agent: str | None = None
    state: str | None = None
    text: str = ""


@dataclass(frozen=True)
class ShownConversation:
    """A conversation with what is stored of its session."""

    id: str
    agent: str
    status: str
    last_activity: float
    message_count: int
    repository: str | None
    issue: str | None
    branch: str | None
    host: str | None
    definition: str | None
    created_at: float
    session_id: str | None
    durable: bool
    transcript_bytes: int | None


@dataclass(frozen=True)
class ShownEvent:
    """A webhook that was received."""

    source: str
    event: str
    action: str | None
    repository: str | None
    issue: str | None
    received_at: float
    outcome: str
    detail: str | None
    task_id: str | None


@dataclass(frozen=True)
class ShownSweep:
    """A sweep, and what it counted."""

    number: int
    started_at: float
    finished_at: float | None
    host: str
    asked_by: str
    dry_run: bool
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[str] = ()


def shown_conversations(
    connection: Connection, wanted: ConversationsWanted, page: Page
) -> list[ShownConversation]:
    """Return conversations, the latest first."""
    rows = connection.execute(
        _conversations()
        .where(*_matching(wanted))
        .order_by(conversations.c.last_activity.desc(), conversations.c.id)
        .limit(page.limit)
        .offset(page.offset)
    )
    return [_conversation(row) for row in rows]


def shown_conversation(
    connection: Connection, conversation_id: str
) -> ShownConversation | None:
    """Return one conversation, or None."""
    wanted = _conversations().where(conversations.c.id == conversation_id)
    row = connection.execute(wanted).first()
    return None if row is None else _conversation(row)


def shown_events(
    connection: Connection, wanted: Mapping[str, str | None], page: Page
) -> list[ShownEvent]:
    """Return the webhooks whose columns hold what is wanted, the newest first."""
    asked = [
        webhook_events.c[name] == value
        for name, value in wanted.items()
        if value is not None
    ]
    rows = connection.execute(
        select(webhook_events)
        .where(*asked)
        .order_by(webhook_events.c.number.desc())
        .limit(page.limit)
        .offset(page.offset)
    )
    names = ShownEvent.__dataclass_fields__
    return [ShownEvent(**{name: row._mapping[name] for name in names}) for row in rows]


def shown_sweeps(
    connection: Connection, page: Page, *, dry_runs: bool = True
) -> list[ShownSweep]:
    """Return the sweeps, the newest first."""
    rows = connection.execute(
        select(sweeps)
        .where(*([] if dry_runs else [sweeps.c.dry_run.is_(False)]))
        .order_by(sweeps.c.number.desc())
        .limit(page.limit)
        .offset(page.offset)
    )
    return [_sweep(row) for row in rows]


def _conversations() -> Any:
    return select(
        conversations,
        sessions.c.session_id,
        sessions.c.durable,
        sessions.c.transcript_bytes,
    ).outerjoin(
        sessions,
        and_(
            sessions.c.conversation_id == conversations.c.id,
            sessions.c.agent == conversations.c.agent,
        ),
    )


def _matching(wanted: ConversationsWanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.agent is not None:
        found.append(conversations.c.agent == wanted.agent)
    if wanted.state == "running":
        found.append(conversations.c.status == "running")
    elif wanted.state == "proved":
        found.append(sessions.c.durable.is_(True))
    elif wanted.state == "unproved":
        found.append(sessions.c.durable.is_(False))
    elif wanted.state == "fresh":
        found.append(sessions.c.session_id.is_(None))
    if wanted.text:
        columns = (
            conversations.c.id,
            conversations.c.repository,
            conversations.c.issue,
            conversations.c.branch,
        )
        found.append(
            or_(*(column.icontains(wanted.text, autoescape=True) for column in columns))
        )
    return found


def _conversation(row: Row[Any]) -> ShownConversation:
    return ShownConversation(
        id=row.id,
        agent=row.agent,
        status=row.status,
        last_activity=row.last_activity,
        message_count=row.message_count,
        repository=row.repository,
        issue=row.issue,
        branch=row.branch,
        host=row.host,
        definition=row.definition,
        created_at=row.created_at,
        session_id=row.session_id,
        durable=row.durable is True,
        transcript_bytes=row.transcript_bytes,
    )


def _sweep(row: Row[Any]) -> ShownSweep:
    counts, problems = _json(row.counts), _json(row.problems)
    numbers = counts if isinstance(counts, dict) else {}
    told = problems if isinstance(problems, list) else []
    return ShownSweep(
        number=row.number,
        started_at=row.started_at,
        finished_at=row.finished_at,
        host=row.host,
        asked_by=row.asked_by,
        dry_run=row.dry_run,
        counts={
            str(name): value
            for name, value in numbers.items()
            if isinstance(value, int) and not isinstance(value, bool)
        },
        problems=[str(one) for one in told[:MAX_PROBLEMS]],
    )


def _json(text: str | None) -> object:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None
