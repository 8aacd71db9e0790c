# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the messages tell of one turn: whether it began, runs, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from agentd.database.conversations import RUNNING
from agentd.database.interrupted import INTERRUPTED
from agentd.database.tables import conversations, messages


@dataclass(frozen=True)
class TurnEnd:
    """A turn that began.

    ``open`` is whether its conversation waits for its end. ``status`` and ``content``
    are those of its last answer, None without one.
    """

    conversation_id: str
    open: bool
    status: str | None = None
    content: str | None = None


def find_turn_end(connection: Connection, turn_uuid: str) -> TurnEnd | None:
    """Return what is known of a turn, or None if it did not begin."""
    rows = connection.execute(
        select(
            conversations.c.id,
            conversations.c.status.label("state"),
            messages.c.role,
            messages.c.status,
            messages.c.content,
        )
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.turn_uuid == turn_uuid)
        .order_by(messages.c.position)
    ).all()
    if not rows:
        return None
    last = rows[-1]
    answered = last.role == "assistant"
    return TurnEnd(
        conversation_id=last.id,
        open=last.state in (RUNNING, INTERRUPTED),
        status=last.status if answered else None,
        content=last.content if answered else None,
    )
