# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The real CLI on a branch, whose control and agent's side are killed in a turn."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Stack
from control.service import ControlProcess
from forge.stand_in import Forge, git

from agentd.workdirs.names import RepositoryName, tree_name

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live

NAME = "team/shop"
BRANCH = "fix/cart"
ISSUE = {"repository": NAME, "issue": "7"}
TREE = tree_name(RepositoryName("work", "team", "shop"), BRANCH)
Json = dict[str, Any]


def bash(command: str) -> str:
    """Return a message that has the offline model run a command."""
    return f"tool Bash {json.dumps({'command': command, 'description': 'Look'})}"


def start_side(stack: Stack) -> None:
    """Start the agent's side anew, with room for work directories."""
    root = stack.directory / "main" / "workdirs"
    root.mkdir(exist_ok=True)
    stack.start_side("main", workdirs_directory=str(root), git_name="Ada of the shop")


async def on_branch(stack: Stack, forge: Forge) -> Path:
    """Give the stack a forge and work directories; return where the branch's is."""
    forge.new_repository(NAME, **{"README.md": "A shop.\n"})
    await asyncio.to_thread(stack.stop)
    stack.start_gateway(forges={"work": forge.settings()})
    start_side(stack)
    return stack.directory / "main" / "workdirs" / "work" / "worktrees" / TREE


def fetches(forge: Forge) -> int:
    """Return how often anything was asked of the repository."""
    return len(forge.requests(f"/{NAME}.git"))


async def killed_in_a_turn(stack: Stack, control: ControlProcess, known: Json) -> None:
    """Kill control and the agent's side with -9 while a turn runs."""
    slow = "Remember the word kiwi. Answer slowly for 30 seconds."
    asked = asyncio.create_task(asyncio.to_thread(_lost, control, slow, known))
    async with asyncio.timeout(20):
        path = f"/chat/{known['conversation_id']}"
        while control.client.get(path).json()["status"] != "running":
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    for process in (control.process, stack.sides["main"]):
        assert process is not None
        process.kill()
        process.wait()
    await asked


def _lost(control: ControlProcess, message: str, known: Json) -> None:
    with pytest.raises(Exception, match=r"(?i)disconnected|reset|closed|refused"):
        control.say(message, **known)


async def test_a_turn_on_a_branch_goes_on_in_its_directory_after_all_was_killed(
    running_stack: RunningStack, forge: Forge
) -> None:
    """G12, H03, H08, I14: with what was not committed, and a session that resumes."""
    async with running_stack(with_spawner=False) as stack:
        tree = await on_branch(stack, forge)
        settings: Json = {"forges": {"work": {}}}
        with ControlProcess(stack, settings=settings) as control:
            first = control.say("Remember the word mango.", branch=BRANCH, **ISSUE)
            known = {"conversation_id": first["conversation_id"]}
            asked = fetches(forge)
            look = "pwd; cat README.md; echo half done > work.txt; git config user.name"
            looked = control.say(bash(f"{look}; git branch --show-current"), **known)
            live = fetches(forge)
            await killed_in_a_turn(stack, control, known)
            start_side(stack)
            control.start()
            after = control.say("Which words did I ask you to remember?", **known)
            again = control.say(bash("pwd; cat work.txt"), **known)
            reset = control.client.post(
                "/reset", json={"agent": "main", "repo": NAME, "issue": 7}
            )
            gone = not tree.exists()
            anew = control.say(bash("pwd; ls"), **ISSUE)
            log = control.log()

    for text in (f"{tree}\n", "A shop.", BRANCH):
        assert text in looked["result"], looked
    assert asked > 0 and live == asked
    assert (after["session_id"], after["resumed"]) == (first["session_id"], True), log
    assert "mango" in after["result"] and after["persisted"]
    assert str(tree) in again["result"] and "half done" in again["result"]
    assert reset.json() == {"dropped": {"worktree": True, "session": True}}
    assert gone and anew["session_id"] != first["session_id"]
    assert str(tree) in anew["result"] and "work.txt" not in anew["result"]
    saved = git(tree, "branch", "--list", "worktree-recovery/*", "--format=%(refname)")
    assert len(saved.split()) == 1, saved
