# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One transaction of the dispatcher: ends are stored, and tasks are claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentd.database.task_logs import DeadItem
from agentd.database.task_runs import (
    Wanted,
    Worker,
    claim_ids,
    claim_next,
    store_ends,
    waiting_agents,
)
from agentd.database.writer import Transaction
from agentd.queue.dead import bury
from agentd.queue.places import Limits, take_fairly
from agentd.queue.stream_items import Item
from agentd.queue.values import Task, TaskEnd

End = tuple[Task, TaskEnd]


@dataclass(frozen=True)
class Round:
    """What is to be stored, and what may be claimed by whom.

    ``items`` name tasks; of ``agents`` the table says what is next, unless it was
    published later than ``published_before`` and so is on its way.
    """

    ends: Sequence[End]
    items: Sequence[Item]
    agents: Sequence[str]
    published_before: float | None
    running: Mapping[str, int]
    limits: Limits
    worker: Worker
    now: float

    @property
    def asks(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.ends or self.items or self.agents)


@dataclass(frozen=True)
class Outcome:
    """What a round claimed, which messages were of no use, and which of no task.

    ``ends`` are those that were stored, as they became.
    """

    ends: list[End]
    claimed: list[Task]
    rest: list[Item]
    dead: tuple[DeadItem, ...]


def store_and_claim(connection: Transaction, wish: Round) -> Outcome:
    """Store the ends, then claim for the places that are free."""
    now, before = wish.now, wish.published_before
    ends = store_ends(connection, wish.ends, now)
    ids = [one.task_id for one in wish.items if one.task_id is not None]
    told = claim_ids(connection, wish.worker, ids, now)
    found = take_fairly(
        waiting_agents(connection, wish.agents, now, before),
        wish.running,
        wish.limits,
        lambda agent, count: claim_next(
            connection, wish.worker, Wanted(agent, count, before), now
        ),
    )
    taken = {task.id for task in told}
    rest = [one for one in wish.items if one.task_id not in taken]
    return Outcome(ends, told + found, rest, bury(connection, rest, now))
