# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sweeps with real agents, worktrees, transcripts and a forge on loopback."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Stack
from control.service import ControlProcess
from forge.stand_in import Forge

from agentd.workdirs.names import RepositoryName, tree_name

from .old_files import age, session

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live

NAME = "team/shop"
AGENTS = ("main", "second")
Json = dict[str, Any]


@dataclass
class Swept:
    """A running deployment with two agents and a forge."""

    stack: Stack
    control: ControlProcess
    forge: Forge

    def say(self, message: str, branch: str, issue: str, agent: str) -> Json:
        """Say something about an issue, on a branch."""
        about = {"repository": NAME, "issue": issue, "branch": branch}
        return self.control.say(message, agent=agent, **about)

    def sweep(self, *, dry_run: bool = False) -> Json:
        """Sweep, and return what went."""
        answer = self.control.client.post("/sweep", json={"dry_run": dry_run})
        assert answer.status_code == 200, (answer.text, self.control.log())
        told: Json = answer.json()
        return told

    def tree(self, agent: str, branch: str) -> Path:
        """Return where a worktree is."""
        forge = self.stack.directory / agent / "workdirs" / "work"
        return forge / "worktrees" / tree_name(RepositoryName("work", *PARTS), branch)

    def transcripts(self, agent: str) -> list[Path]:
        """Return an agent's transcripts."""
        projects = self.stack.memory(agent) / ".claude" / "projects"
        return sorted(projects.glob("*/*.jsonl"))

    def live(self) -> set[str]:
        """Return the sessions that conversations have."""
        listed = self.control.client.get("/sessions").json()["sessions"]
        return {one["session_id"] for one in listed}


PARTS = NAME.split("/")


@asynccontextmanager
async def deployed(running_stack: RunningStack, forge: Forge) -> AsyncIterator[Swept]:
    """Give a deployment that works on a repository of the forge."""
    forge.new_repository(NAME)
    async with running_stack(AGENTS, with_spawner=False) as stack:
        await asyncio.to_thread(stack.stop)
        status = stack.directory / "status.sock"
        stack.start_gateway(
            forges={"work": forge.settings()}, status_socket=str(status)
        )
        for agent in AGENTS:
            root = stack.directory / agent / "workdirs"
            root.mkdir()
            stack.start_side(agent, workdirs_directory=str(root))
        settings = {
            "forges": {"work": {}},
            "gateway_status_socket": str(status),
            "sweep": {"interval_hours": 0},
        }
        with ControlProcess(stack, agents=AGENTS, settings=settings) as control:
            yield Swept(stack, control, forge)


def put_orphan(one: Swept) -> Path:
    """Put an old session on disk that no conversation has; return its transcript."""
    project = one.transcripts("main")[0].parent
    below = project / session(1) / "subagents"
    below.mkdir(parents=True)
    (below / "agent-1.jsonl").write_text("{}\n")
    file = project / f"{session(1)}.jsonl"
    file.write_text("{}\n")
    for path in (below / "agent-1.jsonl", below, below.parent, file):
        age(path, 40)
    debug = one.stack.memory() / ".claude" / "debug" / "old.txt"
    debug.parent.mkdir(exist_ok=True)
    debug.write_text("x" * 1000)
    age(debug, 4)
    return file


def gaps(forge: Forge) -> list[float]:
    """Return the seconds from each question to the next."""
    times = [request["at"] for request in forge.requests("/issues/")]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


async def test_what_is_closed_or_old_goes_and_everything_else_goes_on(
    running_stack: RunningStack, forge: Forge
) -> None:
    """I02, I04, I05, I06, I07, I08, I09, I10: on real disks, with a real forge."""
    async with deployed(running_stack, forge) as one:
        orphan = await asyncio.to_thread(_work_on_two_issues, one)

        forge.break_with({"path": "/issues/", "status": 500})
        dry = one.sweep(dry_run=True)
        assert (dry["counts"]["sessions"], dry["counts"]["trees"]) == (0, 0)
        assert dry["counts"]["skipped"] == 2
        assert dry["counts"]["transcripts"] == 1
        assert orphan.exists()
        forge.break_with()

        done = one.sweep()

        assert {name: done["counts"][name] for name in COUNTED} == {
            "sessions": 2,
            "trees": 2,
            "clones": 0,
            "transcripts": 1,
            "files": 1,
            "skipped": 0,
            "questions": 2,
        }, (done, one.control.log())
        assert done["counts"]["bytes"] == 1006
        _demand_the_rest(one, orphan)
        # What is kept is whole: the session resumes with what it knew.
        again = one.say("Which words did I ask you to remember?", "fix/c", "8", "main")
        assert "kiwi" in again["result"] and again["resumed"], again

        await asyncio.to_thread(_orphan_trees, one)


COUNTED = (
    *("sessions", "trees", "clones", "transcripts"),
    *("files", "skipped", "questions"),
)


def _work_on_two_issues(one: Swept) -> Path:
    """Have two agents work, and all of it grow old; close one of the issues."""
    for number in (7, 8):
        one.forge.set_issue(NAME, number, "open")
    one.say("Remember the word mango.", "fix/a", "7", "main")
    one.say("Remember the word mango.", "fix/b", "7", "second")
    one.say("Remember the word kiwi.", "fix/c", "8", "main")
    orphan = put_orphan(one)
    kept = [file for file in one.transcripts("main") if file != orphan]
    for file in (*kept, *one.transcripts("second")):
        age(file, 40)
    one.forge.set_issue(NAME, 7, "closed")
    return orphan


def _demand_the_rest(one: Swept, orphan: Path) -> None:
    """Demand that what is closed is gone, and nothing else."""
    assert not one.tree("main", "fix/a").exists()
    assert not one.tree("second", "fix/b").exists()
    assert (one.tree("main", "fix/c") / "README.md").exists()
    for agent in AGENTS:
        clone = one.stack.directory / agent / "workdirs/work/repos" / NAME
        assert (clone / ".git" / "HEAD").exists()
    # Its directory too.
    assert not orphan.exists() and not orphan.with_suffix("").exists()
    assert one.live() <= {file.stem for file in one.transcripts("main")}
    assert all(gap >= 0.2 for gap in gaps(one.forge)), gaps(one.forge)


def _orphan_trees(one: Swept) -> None:
    """I04: a worktree without a session goes when its issue is closed."""
    about = {"repository": NAME, "issue": "8"}
    dropped = one.control.client.delete("/sessions", params=about)
    assert dropped.json()["dropped"] == 1
    tree = one.tree("main", "fix/c")
    assert one.sweep()["counts"]["trees"] == 0
    assert tree.exists()

    (tree / "work.txt").write_text("half done")
    one.forge.set_issue(NAME, 8, "closed")
    done = one.sweep()

    assert done["counts"]["trees"] == 1, done
    assert not tree.exists()
    # What was not committed is on a branch, until a day has gone.
    assert one.sweep()["counts"]["recovered"] == 0
    listed = one.control.client.get("/sweeps", params={"limit": 1}).json()
    assert listed["sweeps"][0]["counts"]["questions"] == 0


async def test_what_nobody_used_for_long_goes_without_a_question(
    running_stack: RunningStack, forge: Forge
) -> None:
    """I03, I09, H06: with work that was not committed saved first."""
    async with deployed(running_stack, forge) as one:
        forge.set_issue(NAME, 7, "open")
        said = one.say("Remember the word mango.", "fix/a", "7", "main")
        tree = one.tree("main", "fix/a")
        (tree / "work.txt").write_text("half done")
        assert one.control.stop()[0] == 0
        one.control.settings["sweep"] = {"interval_hours": 0, "max_age_days": 1e-5}
        await asyncio.sleep(1.0)
        one.control.start()

        done = one.sweep()

        assert forge.requests("/issues/") == []
        assert (done["counts"]["sessions"], done["counts"]["trees"]) == (1, 1), done
        assert not tree.exists()
        # The transcript is none of a conversation now, and goes by its own age.
        (transcript,) = one.transcripts("main")
        assert transcript.stem == said["session_id"]
        then = time.time() - 31 * 86_400
        os.utime(transcript, (then, then))
        assert one.sweep()["counts"]["transcripts"] == 1
        assert one.transcripts("main") == []
