# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What came through Redis and is no task: kept in a list, never lost silently."""

from __future__ import annotations

from collections.abc import Sequence

from agentd.database.task_logs import DeadItem, add_dead
from agentd.database.task_runs import statuses
from agentd.database.writer import Transaction
from agentd.log import get_log
from agentd.queue.parts import QueueWatch
from agentd.queue.stream_items import Item

MALFORMED = "It carries no id of a task."
UNKNOWN = "There is no task of this id: it was removed, or is of another database."
MAX_LOGGED = 200

log = get_log("queue")


def bury(
    connection: Transaction, items: Sequence[Item], now: float
) -> tuple[DeadItem, ...]:
    """Store those of the messages that no task belongs to; return them."""
    if not items:
        return ()
    ids = [one.task_id for one in items if one.task_id is not None]
    known = statuses(connection, ids)
    dead = tuple(
        DeadItem(
            at=now,
            source=one.stream,
            item=one.text if one.task_id is None else one.task_id,
            reason=MALFORMED if one.task_id is None else UNKNOWN,
        )
        for one in items
        if one.task_id not in known
    )
    if dead:
        add_dead(connection, dead)
    return dead


def tell(dead: Sequence[DeadItem], watch: QueueWatch) -> None:
    """Log and count what was buried."""
    for one in dead:
        log.warning(
            "queue_item_dead",
            source=one.source,
            item=one.item[:MAX_LOGGED],
            reason=one.reason,
        )
        watch.item_dead(one.source)
