# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Accepts tasks: those that come at the same time are stored by one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentd.database.task_runs import claim_ids
from agentd.database.tasks import count_queued, insert_tasks, missing, tasks_of
from agentd.database.writer import Transaction
from agentd.errors import AgentUnknown, QueueFull, TaskInvalid
from agentd.queue.dispatcher import Dispatcher
from agentd.queue.group_commit import GroupCommit
from agentd.queue.parts import QueueParts
from agentd.queue.values import NewTask, Task, new_task_id

# Those that wait for the transaction before theirs.
MAX_WAITING = 5000
# To count a long queue takes time: between two counts what is taken gives no room.
COUNT_SECONDS = 5.0
FULL_SECONDS = 0.2

# A task as it was stored, and whether it is run here already.
Accepted = tuple[Task, bool]


class Accepting:
    """Stores new tasks; what it returns is on disk."""

    def __init__(
        self,
        parts: QueueParts,
        dispatcher: Dispatcher,
        publishes: Callable[[], bool],
    ) -> None:
        self._parts = parts
        self._dispatcher = dispatcher
        self._publishes = publishes
        self._agents = {agent.name for agent in parts.settings.agents}
        self._commit = GroupCommit[NewTask, Accepted](self._store, MAX_WAITING)
        self._room = 0
        self._counted = float("-inf")

    async def accept(self, new: NewTask) -> Accepted:
        """Store one task; return it, and whether it is run here at once.

        One whose id is known already is returned as it is, and nothing is stored.
        Raise AgentUnknown, TaskInvalid, QueueFull or DatabaseFailed, with nothing
        stored.
        """
        if new.agent not in self._agents:
            raise AgentUnknown(
                f'Cannot queue a task: agent "{new.agent}" is not declared here. '
                "Name one that GET /agents lists."
            )
        if self._commit.full:
            raise self._full()
        return await self._commit.ask(new)

    async def run(self) -> None:
        """Store what is accepted until cancelled."""
        await self._commit.run()

    async def _store(self, news: Sequence[NewTask]) -> list[Accepted | Exception]:
        now = self._parts.clock.now()
        drafts = [(new.id or new_task_id(), new) for new in news]
        # What has a place is claimed by the transaction that stores it.
        placed: dict[str, str] = {}
        for task_id, new in drafts:
            due = new.available_at is None or new.available_at <= now
            if due and task_id not in placed and self._dispatcher.reserve(new.agent):
                placed[task_id] = new.agent
        try:
            stored, claimed = await self._put(drafts, list(placed), now)
        except BaseException:
            for agent in placed.values():
                self._dispatcher.places.free(agent)
            raise
        for task_id in placed.keys() - claimed.keys():
            self._dispatcher.places.free(placed[task_id])
        for task in claimed.values():
            self._dispatcher.begin_reserved(task)
        return [
            one if isinstance(one, Exception) else (one, one.id in claimed)
            for one in stored
        ]

    async def _put(
        self, drafts: Sequence[tuple[str, NewTask]], placed: list[str], now: float
    ) -> tuple[list[Task | Exception], dict[str, Task]]:
        """Store what is not refused; return each, and those that were claimed."""
        most = self._parts.settings.max_queued_tasks
        news = [new for _task_id, new in drafts]
        count = self._must_count(len(drafts))
        published = self._publishes()

        def deed(
            connection: Transaction,
        ) -> tuple[list[Task | Exception], list[Task], int]:
            room = most - count_queued(connection, most) if count else self._room
            known = tasks_of(connection, [new.id for new in news if new.id is not None])
            absent = missing(connection, news)
            refused: dict[str, Exception] = {}
            taken: list[tuple[str, NewTask]] = []
            for task_id, new in drafts:
                if task_id in known:
                    continue
                if unknown := {new.conversation_id, new.schedule_id} & absent:
                    refused[task_id] = _invalid(unknown)
                elif len(taken) >= room:
                    refused[task_id] = self._full()
                else:
                    taken.append((task_id, new))
            rows = insert_tasks(connection, taken, now, published=published)
            stored = known | {task.id: task for task in rows}
            found = [refused.get(one) or stored[one] for one, _new in drafts]
            claimed = claim_ids(connection, self._dispatcher.worker, placed, now)
            return found, claimed, room - len(taken)

        found, claimed, self._room = await self._parts.database.do(deed)
        if count:
            self._counted = self._parts.clock.monotonic()
        return found, {task.id: task for task in claimed}

    def _must_count(self, asked: int) -> bool:
        """Return whether it is not known well enough how many tasks wait."""
        age = self._parts.clock.monotonic() - self._counted
        return age > COUNT_SECONDS or (self._room < asked and age > FULL_SECONDS)

    def _full(self) -> QueueFull:
        most = self._parts.settings.max_queued_tasks
        return QueueFull(
            f"Cannot queue a task: {most} wait already. Try again when some have "
            "ended, or set max_queued_tasks to more."
        )


def _invalid(unknown: set[str | None]) -> TaskInvalid:
    names = ", ".join(f'"{one}"' for one in sorted(map(str, unknown)))
    return TaskInvalid(
        f"Cannot queue a task: there is no conversation and no schedule {names}. "
        "Name one that is there, or none."
    )
