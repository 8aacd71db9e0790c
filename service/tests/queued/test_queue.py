# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks are accepted, run in order, cancelled and removed; on both databases."""

from __future__ import annotations

import asyncio
import time

import pytest
from conftest import until

from agentd.errors import AgentUnknown, QueueFull, TaskBusy, TaskInvalid, TaskUnknown
from agentd.queue.values import NewTask

from .running_queue import Start, running_queue


async def test_a_task_that_is_accepted_is_run_to_its_end(database_url: str) -> None:
    async with running_queue(database_url) as running:
        accepted = await running.queue.accept(NewTask("main", "note it"))

        ended = await running.queue.finished(accepted.id, 10)

        assert (accepted.status, ended.status) == ("queued", "completed")
        assert (ended.result, ended.cost_usd, ended.attempts) == ("did note it", 0.5, 1)
        assert ended.turn_uuid == "11111111-1111-4111-8111-111111111111"
        assert ended.conversation_id is None
        lines = await running.queue.logs(accepted.id)
        assert [(line.event, line.detail) for line in lines] == [("noted", "it")]
        said = [event for of, event, _data in running.output.said if of == ended.id]
        assert said == ["started", "chunk", "end"]


async def test_tasks_are_taken_by_priority_and_then_in_order(database_url: str) -> None:
    start = Start(settings={"max_running_tasks": 1})
    async with running_queue(database_url, start) as running:
        running.queue.pause()
        for priority in ("low", "normal", "high"):
            for number in (1, 2):
                await running.queue.accept(
                    NewTask("main", f"{priority} {number}", priority=priority)
                )
        running.queue.resume()
        await until(lambda: len(start.runner.begun) == 6)

    words = [f"{name} {n}" for name in ("high", "normal", "low") for n in (1, 2)]
    assert start.runner.prompts() == words


async def test_a_busy_agent_takes_no_place_from_another(database_url: str) -> None:
    limits = {"max_running_tasks": 3, "max_running_tasks_per_agent": 2}
    start = Start(settings=dict(limits), agents=("one", "two"))
    async with running_queue(database_url, start) as running:
        for _index in range(5):
            await running.queue.accept(NewTask("one", "wait"))
        other = await running.queue.accept(NewTask("two", "hello"))

        ended = await running.queue.finished(other.id, 10)

        assert ended.status == "completed"
        assert running.queue.running_count == 2
        start.runner.go.set()
        await until(lambda: len(start.runner.begun) == 6)
    assert start.runner.most == {"one": 2, "two": 1}


async def test_many_that_are_accepted_at_once_all_end(database_url: str) -> None:
    start = Start(settings={"max_running_tasks": 20, "max_running_tasks_per_agent": 20})
    async with running_queue(database_url, start) as running:
        accepted = await asyncio.gather(
            *(running.queue.accept(NewTask("main", str(n))) for n in range(300))
        )
        ended = [await running.queue.finished(one.id, 20) for one in accepted]

    assert {one.status for one in ended} == {"completed"}
    assert sorted(map(int, start.runner.prompts())) == list(range(300))


async def test_a_task_waits_until_its_time(database_url: str) -> None:
    async with running_queue(database_url) as running:
        due = time.time() + 0.4
        task = await running.queue.accept(NewTask("main", "x", available_at=due))

        ended = await running.queue.finished(task.id, 10)

    assert ended.started_at is not None
    assert due <= ended.started_at < due + 1


async def test_a_task_that_has_to_wait_runs_later_and_that_is_no_attempt(
    database_url: str,
) -> None:
    async with running_queue(database_url) as running:
        task = await running.queue.accept(NewTask("main", "later 0.05"))
        await until(lambda: len(running.runner.begun) >= 3)
        running.runner.go.set()

        ended = await running.queue.finished(task.id, 10)

    assert (ended.status, ended.attempts) == ("completed", 1)


async def test_a_task_that_waits_is_cancelled_at_once(database_url: str) -> None:
    async with running_queue(database_url) as running:
        running.queue.pause()
        task = await running.queue.accept(NewTask("main", "x"))

        cancelled = await running.queue.cancel(task.id)
        running.queue.resume()
        await asyncio.sleep(0.1)

        assert cancelled.status == "cancelled"
        assert running.runner.begun == []


async def test_a_task_that_runs_is_cancelled(database_url: str) -> None:
    async with running_queue(database_url) as running:
        task = await running.queue.accept(NewTask("main", "wait"))
        await until(lambda: len(running.runner.begun) == 1)

        asked = await running.queue.cancel(task.id)
        ended = await running.queue.finished(task.id, 10)

        assert asked.cancel_requested
        assert (ended.status, ended.error) == ("cancelled", "It was cancelled.")
        assert running.queue.running_count == 0


async def test_a_task_is_removed_unless_it_runs(database_url: str) -> None:
    async with running_queue(database_url) as running:
        task = await running.queue.accept(NewTask("main", "wait"))
        await until(lambda: len(running.runner.begun) == 1)

        with pytest.raises(TaskBusy):
            await running.queue.remove(task.id)
        running.runner.go.set()
        await running.queue.finished(task.id, 10)
        await running.queue.remove(task.id)

        with pytest.raises(TaskUnknown):
            await running.queue.task(task.id)


@pytest.mark.parametrize(
    ("prompt", "told"),
    [("break", "An error of control: ValueError"), ("sleep 9", "longer than 0.2 s")],
)
async def test_a_task_that_breaks_or_takes_too_long_fails_with_the_reason(
    database_url: str, prompt: str, told: str
) -> None:
    async with running_queue(database_url) as running:
        task = await running.queue.accept(NewTask("main", prompt, timeout_seconds=0.2))

        ended = await running.queue.finished(task.id, 10)

    assert ended.status == "failed"
    assert told in (ended.error or "")


async def test_what_cannot_be_queued_is_refused(database_url: str) -> None:
    async with running_queue(
        database_url, Start(settings={"max_queued_tasks": 2})
    ) as running:
        running.queue.pause()
        with pytest.raises(AgentUnknown):
            await running.queue.accept(NewTask("nobody", "x"))
        with pytest.raises(TaskInvalid):
            await running.queue.accept(NewTask("main", "x", conversation_id="none"))
        first = await running.queue.accept(NewTask("main", "1"))
        await running.queue.accept(NewTask("main", "2"))
        with pytest.raises(QueueFull):
            await running.queue.accept(NewTask("main", "3"))

        await running.queue.cancel(first.id)
        await asyncio.sleep(0.3)

        await running.queue.accept(NewTask("main", "3"))
        assert await running.queue.length() == 2


async def test_a_drain_lets_what_runs_end_and_begins_nothing(database_url: str) -> None:
    """O08: the queue's half of the drain time."""
    async with running_queue(database_url) as running:
        task = await running.queue.accept(NewTask("main", "sleep 0.3"))
        await until(lambda: len(running.runner.begun) == 1)
        drain = asyncio.ensure_future(running.queue.drain(10))
        await asyncio.sleep(0)
        late = await running.queue.accept(NewTask("main", "late"))

        assert await drain == 0

        assert (await running.queue.task(task.id)).status == "completed"
        assert (await running.queue.task(late.id)).status == "queued"
