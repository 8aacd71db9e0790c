# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The real CLI has the skills that the sync put there, and makes one of its own."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import pytest
from conftest import RunningStack, Stack, until
from spoken import Conversation

from agentd.spawner.protocol import CliStart

from .world import content, read, write

pytestmark = pytest.mark.live

NEW = "---\nname: new\ndescription: Made at run time.\n---\nDo it.\n"


def skill(directory: Path, name: str, tier: str) -> None:
    """Write a skill that the CLI lists."""
    text = f"---\nname: {name}\ndescription: Of {tier}.\n---\n{tier}\n"
    write(directory, name, text)


def lay_out(stack: Stack) -> None:
    """Give a skill to each tier, and one of the same name to all."""
    skill(stack.directory / "org" / "skills", "shared", "org")
    skill(stack.directory / "built-in", "shared", "built-in")
    skill(stack.directory / "built-in", "built", "built-in")
    skill(stack.memory() / "skills", "shared", "user")
    skill(stack.memory() / "skills", "mine", "user")


async def restart_side(stack: Stack) -> None:
    """Let the agent side boot anew, with the skills of an organisation."""
    side = stack.sides["main"]
    side.terminate()
    await asyncio.to_thread(side.wait)
    await until(lambda: not stack.spawner.states()["main"].connected)
    stack.start_side(
        org_directory=str(stack.directory / "org"),
        built_in_skills_directory=str(stack.directory / "built-in"),
    )
    await stack.until_connected()


async def listed(stack: Stack, message: str) -> set[str]:
    """Say something to a new CLI; return the skills that it has."""
    start = CliStart(session_id=str(uuid.uuid4()), resume=False)
    conversation = Conversation(await stack.spawner.start_cli("main", start))
    await conversation.send(message)
    names: set[str] = set()
    async with asyncio.timeout(30):
        async for said in conversation.messages():
            if said.get("subtype") == "init":
                found = said["skills"]
                assert isinstance(found, list)
                names = {str(name) for name in found}
            if said["type"] == "result":
                break
    await conversation.process.aclose()
    return names


async def test_the_cli_has_the_synced_skills_and_its_own_survives_a_restart(
    running_stack: RunningStack,
) -> None:
    """F01, F03, F07, F15, F16: through boot, reload and the CLI's own list."""
    async with running_stack() as stack:
        memory = stack.memory()
        copies = memory / ".claude" / "skills"
        lay_out(stack)
        await restart_side(stack)
        skill(copies / ".agentkeep-staging", "swap.half", "no tier")
        command = json.dumps(
            {
                "command": f"mkdir -p {copies}/new; printf '%s' '{NEW}'"
                f" > {copies}/new/SKILL.md"
            }
        )
        first = await listed(stack, f"tool Bash {command}")
        reported = await stack.spawner.call(
            "main", "sync_skills", {}, timeout_seconds=20
        )
        (copies / "new" / "SKILL.md").unlink()
        (copies / "new").rmdir()
        await restart_side(stack)
        second = await listed(stack, "Hello")

        assert {"shared", "built", "mine"} <= first
        assert not any("half" in name for name in first)
        assert reported["persisted"] == ["new"]
        assert reported["shadowed"] == [
            {
                "name": "shared",
                "winner": "org",
                "loser": str(memory / "skills" / "shared"),
            }
        ]
        assert {"shared", "built", "mine", "new"} <= second
        assert "\norg\n" in read(copies, "shared")
        assert content(memory / "skills" / "new") == content(copies / "new")
        assert read(copies, "new") == NEW
