# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The real CLI in a definition: what it sees, where it works, and that it goes on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from control.service import ControlProcess

if TYPE_CHECKING:
    from conftest import RunningStack, Stack

AGENTS = "/api/registry/agents"
REMEMBER = "Remember the word mango."
RECALL = "Which words did I ask you to remember?"
PERSONA = "You are the reviewer of the zebra."
SKILL = "---\nname: lint\ndescription: Lints stripes.\n---\nLint.\n"
FILES = {
    "CLAUDE.md": PERSONA,
    "skills/lint/SKILL.md": SKILL,
}

pytestmark = [
    pytest.mark.live,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts"),
]


@pytest.fixture
def read_only(short_path: Path) -> Iterator[Path]:
    """What control writes, as agents see it: mounted read-only."""
    written, seen = short_path / "definitions", short_path / "seen"
    written.mkdir()
    seen.mkdir()
    subprocess.run(["mount", "--bind", str(written), str(seen)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(seen)], check=True)
    yield seen
    subprocess.run(["umount", str(seen)], check=True)


def restart_side(stack: Stack, seen: Path) -> None:
    """Kill the agent side, and start another over the same volumes."""
    stack.sides["main"].kill()
    stack.sides["main"].wait()
    stack.start_side(
        definitions_directory=str(seen / "agents"),
        uploaded_skills_directory=str(seen / "skills"),
    )


def bash(command: str) -> str:
    """Return a message that has the agent run a command."""
    return "tool Bash " + json.dumps({"command": command})


def begun(stack: Stack, control: ControlProcess) -> dict[str, Any]:
    """Upload a skill and the definition, and begin a conversation in it."""
    skill = {"name": "sort", "files": {"SKILL.md": SKILL.replace("Lint", "Sort")}}
    for path, sent in (
        ("/api/registry/skills/upload", skill),
        ("/api/agents/upload", {"name": "reviewer", "files": FILES}),
    ):
        made = control.client.post(path, json=sent)
        assert made.status_code == 201, made.text
        assert set(made.json()["reloaded"].values()) <= {None}, made.text
    return control.say(REMEMBER, definition="reviewer")


def transcript(stack: Stack, session_id: str) -> Path:
    """Return the one transcript of a session."""
    pattern = f".claude/projects/*/{session_id}.jsonl"
    (found,) = stack.memory().glob(pattern)
    return found


async def test_a_conversation_in_an_uploaded_definition_sees_it_and_goes_on(
    running_stack: RunningStack, read_only: Path
) -> None:
    """P01, P02, P07, P08, P14: after control and agent side were killed."""
    async with running_stack(with_spawner=False) as stack:
        restart_side(stack, read_only)
        work = stack.memory() / "definitions" / "reviewer"
        with ControlProcess(stack) as control:
            first = begun(stack, control)
            named = {"conversation_id": first["conversation_id"]}
            wrote = control.say(bash("pwd; echo mine >own; cat own"), **named)
            refused = control.say(bash(f"touch {read_only}/agents/reviewer/x"), **named)
            assert control.process is not None
            control.process.kill()
            control.process.wait()
            restart_side(stack, read_only)
            control.start()
            again = control.say(RECALL, **named)
            there = control.say(bash("pwd; cat own"), **named)
        said = transcript(stack, first["session_id"]).read_text()

    assert first["notice"] is None
    assert PERSONA in said
    assert "Lints stripes." in said
    assert "Sorts stripes." in said
    assert f"{work}\nmine" in wrote["result"]
    assert "Read-only file system" in refused["result"]
    assert (again["resumed"], again["session_id"]) == (True, first["session_id"])
    assert "mango" in again["result"]
    assert f"{work}\nmine" in there["result"]


async def test_scans_and_repairs_find_its_transcript_and_a_removed_one_goes_on(
    running_stack: RunningStack, read_only: Path
) -> None:
    """P02, P06, G21: its work directory stays when the definition is gone."""
    async with running_stack(with_spawner=False) as stack:
        restart_side(stack, read_only)
        work = stack.memory() / "definitions" / "reviewer"
        with ControlProcess(stack) as control:
            first = begun(stack, control)
            named = {"conversation_id": first["conversation_id"]}
            address = f"{AGENTS}/reviewer"
            (work / "CLAUDE.md").write_text("I am no reviewer.")
            control.client.put(f"{address}/content", json={"content": "You praise."})
            changed = control.say(RECALL, **named)
            with transcript(stack, first["session_id"]).open("ab") as file:
                file.write(b"no line of a transcript\n")
            found = control.client.get("/sessions", params={"scan": True}).json()
            mended = control.client.post(f"/sessions/{first['session_id']}/repair")
            removed = control.client.delete(address)
            last = control.say(bash("pwd; cat CLAUDE.md"), **named)
            other = control.say(bash("pwd"), definition="reviewer")
        kept = list((work / ".agentkeep" / "kept").iterdir())

    assert (changed["resumed"], changed["session_id"]) == (True, first["session_id"])
    assert [path.read_text() for path in kept] == ["I am no reviewer."]
    (session,) = found["sessions"]
    assert session["transcript"]["verdict"] == "damaged"
    assert (found["orphans"], mended.status_code) == ([], 200)
    assert removed.status_code == 204
    assert f"{work}\nYou praise." in last["result"]
    assert "the session goes on where it began" in last["notice"]
    assert "the agent works in its own directory" in other["notice"]
    assert f"answered:\n{stack.memory()}" in other["result"]
