# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The table of webhooks that were received."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Select, delete, or_, select, update

from agentd.database.insert import insert_into
from agentd.database.tables import conversations
from agentd.database.task_tables import tasks
from agentd.database.tasks import CANCELLED
from agentd.database.work_tables import webhook_events
from agentd.webhooks.values import Received

IGNORED, CLEANING = "ignored", "cleaning"
COLUMNS = [webhook_events.c[one.name] for one in fields(Received)]


def received_of(row: Any) -> Received:
    """Return the event that a row holds."""
    return Received(**{one.name: row._mapping[one.name] for one in fields(Received)})


def find_event(
    connection: Connection, source: str, digest: str, delivery: str
) -> Received | None:
    """Return an event that came before: the same body, or the same delivery."""
    same = webhook_events.c.digest == digest
    if delivery:
        same = or_(
            same,
            (webhook_events.c.source == source)
            & (webhook_events.c.delivery == delivery),
        )
    # What was acted upon is told in the place of what was ignored.
    found = select(*COLUMNS).where(same).order_by(webhook_events.c.outcome == IGNORED)
    row = connection.execute(found.limit(1)).first()
    return None if row is None else received_of(row)


def put_event(connection: Connection, digest: str, event: Received) -> int | None:
    """Store an event in the place of one that was ignored.

    Return its number, or None if somebody else stored one meanwhile.
    """
    values = {
        one.name: getattr(event, one.name)
        for one in fields(Received)
        if one.name != "number"
    }
    made = insert_into(connection, webhook_events).values(digest=digest, **values)
    stored = made.on_conflict_do_update(
        index_elements=["digest"],
        set_=values,
        where=webhook_events.c.outcome == IGNORED,
    ).returning(webhook_events.c.number)
    number = connection.scalar(stored)
    return None if number is None else int(number)


def events_to_clean(connection: Connection, at_most: int) -> list[Received]:
    """Return events after which something is still to be removed, oldest first."""
    found = (
        select(*COLUMNS)
        .where(webhook_events.c.outcome == CLEANING)
        .order_by(webhook_events.c.number)
        .limit(at_most)
    )
    return [received_of(row) for row in connection.execute(found)]


def end_cleaning(connection: Connection, number: int, detail: str) -> None:
    """Note that what an event asked to remove was removed, or is somebody else's."""
    connection.execute(
        update(webhook_events)
        .where(webhook_events.c.number == number)
        .values(outcome="cleaned", detail=detail)
    )


def remove_events(
    connection: Connection, ignored_before: float, before: float, at_most: int
) -> None:
    """Remove old events, no more than so many."""
    old = (
        select(webhook_events.c.number)
        .where(webhook_events.c.received_at < ignored_before)
        .where(
            or_(
                webhook_events.c.outcome == IGNORED,
                webhook_events.c.received_at < before,
            )
        )
        .where(webhook_events.c.outcome != CLEANING)
        .limit(at_most)
    )
    connection.execute(delete(webhook_events).where(webhook_events.c.number.in_(old)))


def select_events(source: str | None) -> Select[Any]:
    """Return the events of a sender or of all, the newest first."""
    found = select(*COLUMNS).order_by(webhook_events.c.number.desc())
    return found if source is None else found.where(webhook_events.c.source == source)


def given_lately(
    connection: Connection, agent: str, repository: str, issue: str, since: float
) -> str | None:
    """Return a task that an event gave the agent about an issue since then."""
    found = (
        select(tasks.c.id)
        .join(webhook_events, webhook_events.c.task_id == tasks.c.id)
        .where(
            webhook_events.c.received_at >= since,
            webhook_events.c.repository == repository,
            webhook_events.c.issue == issue,
            tasks.c.agent == agent,
            # What was closed and opened again is to be begun anew.
            tasks.c.status != CANCELLED,
        )
        .limit(1)
    )
    return connection.scalar(found)


def begun_with(
    connection: Connection, agent: str, repository: str, issue: str
) -> tuple[str | None, str | None] | None:
    """Return branch and definition of the conversation about an issue, if any."""
    found = select(conversations.c.branch, conversations.c.definition).where(
        conversations.c.agent == agent,
        conversations.c.repository == repository,
        conversations.c.issue == issue,
    )
    row = connection.execute(found).first()
    return None if row is None else (row.branch, row.definition)
