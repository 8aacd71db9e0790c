# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is tried inside a container, tried here on directories of the test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._probe import (
    attempt,
    look,
    task,
)

SESSION = "5f0c2f6e-0000-4000-8000-000000000000"
PROJECTS = (".claude", "projects")


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Return a directory with one project and one transcript."""
    project = tmp_path / "memory/.claude/projects/-data-memory"
    project.mkdir(parents=True)
    (project / f"{SESSION}.jsonl").write_text("{}\n")
    return tmp_path / "memory"


@pytest.fixture
def own() -> Iterator[int]:
    """Return /proc/self/fd, held open."""
    held = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    yield held
    os.close(held)


def tried(asked: task.Task, own: int) -> Mapping[str, Any]:
    """Return what the look at all of a task answers."""
    writing = attempt.Writing(".agentkeep-probe-test", b"x" * 1024)
    return look.Look(asked, writing, own).answer()


def steps(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was refused, and in which step."""
    return [(one["subject"], one["step"]) for one in answer["faults"]]


def whole(memory: Path, **more: Any) -> task.Task:
    """Return a task with everything in it."""
    found = memory.stat()
    held = (found.st_dev, found.st_ino)
    return task.Task(
        places=(task.Place("memory", str(memory), (), *held),),
        transcripts=task.Place("memory", str(memory), PROJECTS, *held),
        temporary=str(memory.parent),
        sessions={SESSION: "conv-1"},
        **more,
    )


def names(memory: Path) -> set[str]:
    """Return every path below the directory."""
    return {str(path) for path in memory.parent.rglob("*")}


def test_what_can_be_written_is_no_fault_and_nothing_stays(
    memory: Path, own: int
) -> None:
    before = names(memory)

    answer = tried(whole(memory), own)

    assert answer["faults"] == []
    assert answer["transcripts"] == {"projects": 1, "found": 1, "tried": 1}
    assert names(memory) == before


def test_another_directory_at_the_place_is_not_written(memory: Path, own: int) -> None:
    """K16: device and inode are those of the host's directory, or it is a fault."""
    asked = task.Task(places=(task.Place("memory", str(memory), (), 1, 1),))
    modified = memory.stat().st_mtime_ns

    answer = tried(asked, own)

    assert steps(answer) == [("place", "mounted")]
    assert memory.stat().st_mtime_ns == modified


def test_a_link_below_a_mount_is_never_followed(memory: Path, own: int) -> None:
    elsewhere = memory.parent / "elsewhere"
    (memory / ".claude").rename(elsewhere)
    (memory / ".claude").symlink_to(elsewhere)
    modified = (elsewhere / "projects").stat().st_mtime_ns

    answer = tried(whole(memory), own)

    assert steps(answer) == [("projects", "reach")]
    assert (elsewhere / "projects").stat().st_mtime_ns == modified


def test_a_project_that_is_a_link_is_not_entered(memory: Path, own: int) -> None:
    projects = memory / ".claude/projects"
    (projects / "-data-memory").rename(memory / "moved")
    (projects / "-data-memory").symlink_to(memory / "moved")

    answer = tried(whole(memory), own)

    assert steps(answer) == [("transcript", "missing")]
    assert answer["transcripts"]["projects"] == 0


def test_a_loop_of_links_hangs_nothing(memory: Path, own: int) -> None:
    """A09."""
    (memory / ".claude/projects/-data-memory/memory").symlink_to(memory)

    assert tried(whole(memory), own)["faults"] == []


@pytest.mark.parametrize("missing", [".claude", ".claude/projects"])
def test_missing_projects_are_no_fault_where_they_can_be_made(
    memory: Path, own: int, missing: str
) -> None:
    (memory / missing).rename(memory.parent / "gone")
    asked = task.Task(transcripts=task.Place("memory", str(memory), PROJECTS))

    answer = tried(asked, own)

    assert answer["faults"] == []
    assert not (memory / missing).exists()


def test_a_session_is_missed_where_its_projects_are_missing(
    memory: Path, own: int
) -> None:
    (memory / ".claude/projects").rename(memory.parent / "gone")

    (fault,) = tried(whole(memory), own)["faults"]

    assert (fault["step"], fault["session"]) == ("missing", SESSION)


def test_a_place_that_is_not_there_is_told(memory: Path, own: int) -> None:
    asked = task.Task(
        places=(task.Place("a", "/nowhere"), task.Place("b", str(memory), ("x",)))
    )

    answer = tried(asked, own)

    assert [one["path"] for one in answer["faults"]] == ["/nowhere", f"{memory}/x"]
    assert answer["faults"][0]["owner"] is None


def test_known_sessions_are_tried_whatever_their_age(memory: Path, own: int) -> None:
    project = memory / ".claude/projects/-data-memory"
    for number in range(task.MOST_TRANSCRIPTS + 5):
        (project / f"{number}.jsonl").write_text("{}\n")
    (project / f"{SESSION}.jsonl").write_text("")
    os.utime(project / f"{SESSION}.jsonl", (0, 0))

    answer = tried(whole(memory), own)

    assert steps(answer) == [("transcript", "empty")]
    assert answer["transcripts"] == {
        "projects": 1,
        "found": task.MOST_TRANSCRIPTS + 6,
        "tried": task.MOST_TRANSCRIPTS + 1,
    }


def test_faults_are_bounded_and_counted(memory: Path, own: int) -> None:
    project = memory / ".claude/projects/-data-memory"
    for number in range(task.MOST_FAULTS + 7):
        (project / f"{number}.jsonl").mkdir()

    answer = tried(whole(memory), own)

    assert len(answer["faults"]) == task.MOST_FAULTS
    assert answer["more"] == 7
