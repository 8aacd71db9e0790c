# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Accepts tasks: those that come at the same time are stored by one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentd.database.tasks import count_queued, insert_tasks, missing
from agentd.database.writer import Transaction
from agentd.errors import AgentUnknown, QueueFull, TaskInvalid
from agentd.queue.group_commit import GroupCommit
from agentd.queue.parts import QueueParts
from agentd.queue.values import NewTask, Task, new_task_id

# Those that wait for the transaction before theirs.
MAX_WAITING = 5000
# To count a long queue takes time: between two counts what is taken gives no room.
COUNT_SECONDS = 5.0
FULL_SECONDS = 0.2


class Accepting:
    """Stores new tasks; what it returns is on disk."""

    def __init__(
        self, parts: QueueParts, publishes: Callable[[], bool] = lambda: False
    ) -> None:
        self._parts = parts
        self._publishes = publishes
        self._agents = {agent.name for agent in parts.settings.agents}
        self._commit = GroupCommit[NewTask, Task](self._store, MAX_WAITING)
        self._room = 0
        self._counted = float("-inf")

    async def accept(self, new: NewTask) -> Task:
        """Store one task.

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

    async def _store(self, news: Sequence[NewTask]) -> list[Task | Exception]:
        now = self._parts.clock.now()
        most = self._parts.settings.max_queued_tasks
        count = self._must_count(len(news))
        published = self._publishes()

        def deed(connection: Transaction) -> tuple[list[Task | Exception], int]:
            room = most - count_queued(connection, most) if count else self._room
            absent = missing(connection, news)
            found: list[str | Exception] = []
            drafts: list[tuple[str, NewTask]] = []
            for new in news:
                if unknown := {new.conversation_id, new.schedule_id} & absent:
                    found.append(_invalid(unknown))
                elif len(drafts) >= room:
                    found.append(self._full())
                else:
                    drafts.append((new_task_id(), new))
                    found.append(drafts[-1][0])
            stored = {
                task.id: task
                for task in insert_tasks(connection, drafts, now, published=published)
            }
            given = [stored[one] if isinstance(one, str) else one for one in found]
            return given, room - len(drafts)

        given, self._room = await self._parts.database.do(deed)
        if count:
            self._counted = self._parts.clock.monotonic()
        return given

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
