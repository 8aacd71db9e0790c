# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""From a webhook to a pushed commit: the real CLI, git and gateway."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Stack
from control.service import ControlProcess
from forge.deliveries import Delivery, delivery, signed
from forge.stand_in import Forge, git

from .hooked import SETTINGS

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live

NAME, BRANCH = "team/shop", "agentkeep/issue-7"
COMMAND = (
    "echo mended >basket.txt && git add basket.txt && git commit -qm 'The basket' && "
    "git push -q origin HEAD && pwd"
)
PROMPT = f"Remember the word mango.\ntool Bash {json.dumps({'command': COMMAND})}"
RULE = {"prompt": PROMPT, "prompt_if_resumed": "Which words did I ask you to remember?"}
Json = dict[str, Any]


async def work_on(stack: Stack, forge: Forge) -> None:
    """Give the stack a forge, and its agent room for work directories."""
    forge.new_repository(NAME, **{"README.md": "A shop.\n"})
    await asyncio.to_thread(stack.stop)
    stack.start_gateway(forges={"work": forge.settings()})
    root = stack.directory / "main" / "workdirs"
    root.mkdir()
    stack.start_side("main", workdirs_directory=str(root), git_name="Keeper")


async def take(control: ControlProcess, sent: Delivery) -> Json:
    """Send a webhook; return the task that it gave, after its end."""
    headers = {**sent.headers, "Authorization": ""}
    answer = await asyncio.to_thread(
        control.client.post, "/webhooks/forgejo", content=sent.body, headers=headers
    )
    assert answer.status_code == 202, answer.text
    address = f"/queue/{answer.json()['task_id']}"
    async with asyncio.timeout(60):
        while True:
            task: Json = control.client.get(address).json()
            if task["status"] not in {"queued", "running"}:
                assert task["status"] == "completed", (task, control.log())
                return task
            await asyncio.sleep(0.05)


async def test_a_comment_becomes_a_commit_and_the_next_one_resumes_after_a_kill(
    running_stack: RunningStack, forge: Forge
) -> None:
    """H09: and closing the issue leaves neither session nor worktree."""
    settings = {"forges": {"work": {"kind": "forgejo"}}}
    more = delivery("forgejo", "issue_comment.created").payload
    more["comment"]["body"] = "@agent and now?"
    async with running_stack(with_spawner=False) as stack:
        await work_on(stack, forge)
        stack.definitions.mkdir(exist_ok=True)
        with ControlProcess(stack, settings=settings) as control:
            address = "/api/registry/webhooks/forgejo"
            put = control.client.put(address, json={**SETTINGS, "rules": [RULE]})
            assert put.status_code == 200, put.text

            first = await take(control, delivery("forgejo", "issue_comment.created"))
            assert control.process is not None
            control.process.kill()
            control.process.wait()
            control.start()
            second = await take(control, signed("forgejo", "issue_comment", more))
            sent = delivery("forgejo", "issues.closed")
            headers = {**sent.headers, "Authorization": ""}
            control.client.post(
                "/webhooks/forgejo", content=sent.body, headers=headers
            ).raise_for_status()
            async with asyncio.timeout(30):
                while control.client.get("/sessions").json()["sessions"]:
                    await asyncio.sleep(0.05)
            trees = stack.directory / "main/workdirs/work/worktrees"
            left = [one.name for one in trees.iterdir() if one.is_dir()]

    pushed = git(
        forge.repositories / f"{NAME}.git", "log", "-1", "--format=%an", BRANCH
    )
    assert pushed.strip() == "Keeper"
    assert "worktrees/team-shop-agentkeep-issue-7" in first["result"]
    assert second["conversation_id"] == first["conversation_id"]
    assert "mango" in second["result"]
    assert left == []
