# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What comes in the one moment in which it was not expected."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conftest import until
from servers.databases import sqlite_url

from agentd.clock import Clock
from agentd.database.open import open_database
from agentd.database.task_runs import Worker, bind_turn, claim_ids, store_ends
from agentd.database.tasks import ask_to_cancel, get_task, insert_tasks
from agentd.database.writer import Transaction
from agentd.errors import TurnHandedOver
from agentd.hosts.presence import Presence
from agentd.queue.parts import QueueParts
from agentd.queue.steps import Steps
from agentd.queue.values import NewTask, Task, TaskEnd, new_task_id
from agentd.queue.workers import Workers

from .running_queue import (
    KeptOutput,
    ScriptedRunner,
    Start,
    running_queue,
    settings_of,
)

TURN = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize("how", ["cancel", "break_off"])
async def test_a_task_that_is_stopped_before_its_first_step_ends_all_the_same(
    tmp_path: Path, how: str
) -> None:
    """O07: else it holds its place and is said to run until control stops."""
    url = sqlite_url(tmp_path)
    ended: list[TaskEnd | None] = []
    async with open_database(url) as database:
        settings = settings_of(url, Start())
        presence = Presence(database, "one", ["main"], Clock(), 30)
        runner = ScriptedRunner()
        parts = QueueParts(settings, database, presence, KeptOutput(), Clock(), runner)
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            workers = Workers(parts, group, lambda _task, end: ended.append(end))
            workers.begin(_running_task())
            if how == "cancel":
                assert workers.cancel("task-1")
            else:
                workers.break_off()
            await workers.quiet.wait()

    assert len(workers) == 0
    assert [None if one is None else one.status for one in ended] == (
        ["cancelled"] if how == "cancel" else [None]
    )
    assert runner.begun == []


async def test_a_run_of_months_is_stored_with_the_longest_time_there_is(
    database_url: str,
) -> None:
    """O07: a host that was down so long, or a clock that jumped, stops no queue."""
    async with open_database(database_url) as database:
        task = await database.do(_claimed)
        late = (task.started_at or 0) + 100 * 24 * 3600

        await database.do(lambda c: store_ends(c, [(task, TaskEnd("failed"))], late))

        stored = await database.do(lambda c: get_task(c, task.id))
    assert stored is not None
    assert (stored.status, stored.duration_ms) == ("failed", 2**31 - 1)


async def test_a_run_whose_task_was_taken_over_says_nothing(database_url: str) -> None:
    """O07: a process that was stopped for long and goes on runs it no second time."""
    settings = settings_of(database_url, Start())
    async with open_database(database_url) as database:
        task = await database.do(_claimed)
        presence = Presence(database, "one", ["main"], Clock(), 30)
        parts = QueueParts(
            settings, database, presence, KeptOutput(), Clock(), ScriptedRunner()
        )
        await Steps(parts, task).bind("no-conversation", TURN)
        ended = [(task, TaskEnd("queued"))]
        await database.do(lambda c: store_ends(c, ended, (task.started_at or 0) + 1))
        with pytest.raises(TurnHandedOver, match="was taken over"):
            await Steps(parts, task).bind("no-conversation", TURN)
        [other] = await database.do(
            lambda c: claim_ids(
                c, Worker("two", "2"), [task.id], (task.started_at or 0) + 2
            )
        )

        with pytest.raises(TurnHandedOver, match="was taken over"):
            await Steps(parts, task).bind("no-conversation", TURN)
        assert await database.do(lambda c: bind_turn(c, other, "none", TURN))


async def test_a_cancellation_between_a_run_and_its_next_is_told(
    database_url: str,
) -> None:
    """Whoever waits for the task, or follows it, is not left waiting."""
    start = Start()
    async with running_queue(database_url, start) as running:
        task = await running.queue.accept(NewTask("main", "later 0.01"))
        await until(lambda: len(start.runner.begun) > 1)
        # As a cancellation does that comes while the end waits to be stored.
        while not await running.database.do(lambda c: ask_to_cancel(c, task.id)):
            await asyncio.sleep(0.001)

        ended = await running.queue.finished(task.id, 10)

        assert ended.status == "cancelled"
        await until(lambda: start.output.said[-1][1] == "end")
        assert start.output.said[-1][2]["status"] == "cancelled"


def _running_task() -> Task:
    return Task(
        id="task-1",
        number=1,
        agent="main",
        prompt="wait",
        priority="normal",
        status="running",
        attempts=1,
        created_at=1.0,
        available_at=1.0,
        started_at=1.0,
    )


def _claimed(connection: Transaction) -> Task:
    now = 1_780_000_000.0
    draft = (new_task_id(), NewTask("main", "wait"))
    [task] = insert_tasks(connection, [draft], now)
    [claimed] = claim_ids(connection, Worker("one", "1"), [task.id], now)
    return claimed
