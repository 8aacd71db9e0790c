# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The real CLI in a worktree whose repository is behind the gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Stack
from control.service import ControlProcess
from forge.stand_in import Forge, git

from agentd.transcripts.key import project_key
from agentd.workdirs.names import RepositoryName, tree_path

SHOP = RepositoryName("home", "team", "shop")
REMEMBER = "Remember the word mango."
RECALL = "Which words did I ask you to remember?"

pytestmark = pytest.mark.live


def bash(command: str) -> str:
    """Return a message that has the agent run a command."""
    return "tool Bash " + json.dumps({"command": command})


def start_side(stack: Stack) -> None:
    """Start the agent side over its volumes."""
    directory = stack.directory / "main" / "workdirs"
    stack.start_side(
        workdirs_directory=str(directory), git_name="Ada", git_email="ada@example.org"
    )


@pytest.fixture
def stack(short_path: Path, forge: Forge) -> Iterator[Stack]:
    """A gateway that knows the forge, and an agent with work directories."""
    forge.new_repository("team/shop")
    made = Stack(short_path, ("main",))
    (made.sockets_directory / "main").mkdir(parents=True)
    for name in ("memory", "skill-data", "workdirs"):
        (short_path / "main" / name).mkdir(parents=True)
    try:
        made.start_gateway(forges={"home": forge.settings()})
        start_side(made)
        yield made
    finally:
        made.stop()


def kill_all(stack: Stack, control: ControlProcess) -> None:
    """Kill control and the agent side, and start others over the same volumes."""
    assert control.process is not None
    for process in (control.process, stack.sides["main"]):
        process.kill()
        process.wait()
    start_side(stack)
    control.start()


def test_a_conversation_on_a_branch_works_in_its_worktree_for_ever(
    stack: Stack, forge: Forge
) -> None:
    """H03, H10, G12: it commits, pushes, and goes on after everything was killed."""
    tree = tree_path(stack.directory / "main" / "workdirs", SHOP, "fix/cart")
    settings = {"forges": {"home": {"kind": "forgejo"}}}
    commit = "echo 1 >CART; git add CART; git commit -qm Cart; git push -q; env"
    with ControlProcess(stack, settings=settings) as control:
        on_branch = {"repository": "team/shop", "issue": "7", "branch": "fix/cart"}
        first = control.say(REMEMBER, **on_branch)
        named = {"conversation_id": first["conversation_id"]}
        worked = control.say(bash(f"pwd; {commit}"), **named)
        (transcript,) = find(stack, first["session_id"])
        kill_all(stack, control)
        again = control.say(RECALL, **named)
        with transcript.open("ab") as file:
            file.write(b"no line of a transcript\n")
        listed = control.client.get("/sessions", params={"scan": True}).json()
        mended = control.client.post(f"/sessions/{first['session_id']}/repair")
        last = control.say(bash("pwd; cat CART"), **named)

    assert transcript.parent.name == project_key(tree)
    assert f"answered:\n{tree}\n" in worked["result"]
    assert forge.show("team/shop", "fix/cart", "CART") == "1\n"
    assert author(forge) == "Ada <ada@example.org>"
    assert forge.token not in worked["result"]
    assert (again["resumed"], again["session_id"]) == (True, first["session_id"])
    assert "mango" in again["result"]
    (session,) = listed["sessions"]
    assert session["transcript"]["verdict"] == "damaged"
    assert (listed["orphans"], mended.status_code) == ([], 200)
    assert f"{tree}\n1" in last["result"]


def author(forge: Forge) -> str:
    """Return who made the branch's last commit, and who committed it."""
    words = ("log", "-1", "--format=%an <%ae>|%cn <%ce>", "fix/cart")
    names = git(forge.repositories / "team/shop.git", *words).strip().split("|")
    assert len(set(names)) == 1
    return names[0]


def find(stack: Stack, session_id: str) -> list[Path]:
    """Return every transcript of a session."""
    return list(stack.memory().glob(f".claude/projects/*/{session_id}.jsonl"))


def test_a_wish_beside_the_worktree_of_a_branch_is_refused(stack: Stack) -> None:
    """H03: a branch and a definition are two places, a worktree is never both."""
    settings = {"forges": {"home": {"kind": "forgejo"}}}
    wrong: list[dict[str, Any]] = [
        {"branch": "fix"},
        {"repository": "team/shop", "branch": "a..b"},
        {"repository": "elsewhere:team/shop", "branch": "fix"},
        {"repository": "team/shop", "branch": "fix", "definition": "reviewer"},
    ]
    with ControlProcess(stack, settings=settings) as control:
        told = [control.post(REMEMBER, **one).status_code for one in wrong]
        lost = control.post(REMEMBER, repository="team/none", branch="fix")

    assert told == [400, 400, 400, 400]
    assert lost.status_code >= 400
    assert "team/none" in lost.text
