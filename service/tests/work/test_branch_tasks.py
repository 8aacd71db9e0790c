# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Tasks about issues and on branches: resumed, put off, and accepted once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from control.running_app import Parts
from queued.running_queue import running_queue

from agentd.errors import CallRefused, TaskInvalid
from agentd.queue.values import NewTask, Task
from agentd.tasks import runner

from .worktrees import WorkControl, WorkSpawner, working

ISSUE = NewTask(
    agent="main",
    prompt="all of it",
    prompt_if_resumed="what is new",
    repository="shop/web",
    issue="7",
    branch="fix/cart",
)
REFUSED = CallRefused("refused", "the forge does not answer.")


async def ended(running: WorkControl, new: NewTask) -> Task:
    """Queue a task and return it when it ended."""
    queue = running.control.service.queue
    task = await queue.accept(new)
    async with asyncio.timeout(15):
        while (task := await queue.task(task.id)).finished_at is None:
            await asyncio.sleep(0.02)
    return task


async def test_a_task_goes_on_in_the_conversation_of_its_issue(tmp_path: Path) -> None:
    """G16: with the short prompt, in the same worktree."""
    async with working(tmp_path) as running:
        first = await ended(running, ISSUE)
        second = await ended(running, ISSUE)
        running.control.engine.alive.clear()
        running.control.spawner.exists = False
        third = await ended(running, ISSUE)
        shown = (await running.control.client.get(f"/queue/{third.id}")).json()
        holders = {
            one["holder"] for one in running.spawner.work_calls("acquire_workdir")
        }

    assert running.control.engine.said == ["all of it", "what is new", "all of it"]
    assert {one.status for one in (first, second, third)} == {"completed"}
    conversations = {one.conversation_id for one in (first, second, third)}
    assert conversations == holders
    assert (shown["repository"], shown["issue"], shown["branch"]) == (
        "shop/web",
        "7",
        "fix/cart",
    )
    assert shown["prompt_if_resumed"] == "what is new"


async def test_a_task_waits_for_a_worktree_and_for_its_forge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H07: neither is an attempt."""
    monkeypatch.setattr(runner, "FORGE_PAUSE", 0.1)
    busy_first = CallRefused("refused", "busy: another one has it.")
    spawner = WorkSpawner(work_errors=[busy_first])
    async with working(tmp_path, Parts(spawner=spawner)) as running:
        busy = await ended(running, ISSUE)
        spawner.work_errors = [REFUSED]
        failed = await ended(running, replace(ISSUE, issue="8", branch="fix/8"))

    assert (busy.status, busy.attempts) == ("completed", 1)
    assert (failed.status, failed.attempts) == ("completed", 1)


async def test_a_task_whose_worktree_cannot_be_made_for_long_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "FORGE_SECONDS", 0.0)
    parts = Parts(spawner=WorkSpawner(work_errors=[REFUSED]))
    async with working(tmp_path, parts) as running:
        task = await ended(running, ISSUE)

    assert task.status == "failed"
    assert task.error is not None and "the forge does not answer" in task.error


async def test_a_task_whose_id_is_known_is_not_accepted_again(
    database_url: str,
) -> None:
    """H09: also if many ask at once, and after it ended."""
    named = NewTask(agent="main", prompt="once", id="task-of-an-event")
    other = NewTask(agent="main", prompt="twice", id="task-of-another")
    async with running_queue(database_url) as running:
        accept = running.queue.accept
        many = await asyncio.gather(*(accept(named) for _time in range(5)))
        async with asyncio.timeout(10):
            while (await running.queue.task(named.id or "")).finished_at is None:
                await asyncio.sleep(0.02)
        late, *new = await asyncio.gather(
            accept(replace(named, conversation_id="conv-gone")), accept(other)
        )
        with pytest.raises(TaskInvalid):
            await accept(replace(other, id=None, conversation_id="conv-gone"))
        async with asyncio.timeout(10):
            while (await running.queue.task(other.id or "")).finished_at is None:
                await asyncio.sleep(0.02)

    assert {one.id for one in [*many, late]} == {"task-of-an-event"}
    assert late.status == "completed" and new[0].id == "task-of-another"
    assert sorted(running.runner.prompts()) == ["once", "twice"]
