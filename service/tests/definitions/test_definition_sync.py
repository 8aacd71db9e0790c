# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A definition in its work directory: put there whole, and nothing of it lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path

import pytest
from skills.world import content, in_a_child, times

from agentd.agent.definition_plan import OTHER, Act, Step, plan
from agentd.agent.definition_sync import (
    MAX_KEPT,
    DefinitionUnusable,
    sync_definition,
)

ANSWER = "the agent's own"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A definition with a skill and a program."""
    path = tmp_path / "agents" / "reviewer"
    (path / "skills" / "lint").mkdir(parents=True)
    (path / "CLAUDE.md").write_text("You review.")
    (path / "skills" / "lint" / "SKILL.md").write_text("Lint it.")
    (path / "check.sh").write_text("#!/bin/sh\n")
    (path / "check.sh").chmod(0o755)
    return path


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The work directory, which is not there yet."""
    return tmp_path / "work"


def held(work: Path) -> dict[str, str]:
    """Return the files of a work directory, without our own."""
    found = content(work)
    return {
        name: text for name, text in found.items() if not name.startswith(".agentkeep")
    }


WHOLE = {
    "CLAUDE.md": "You review.",
    ".claude/skills/lint/SKILL.md": "Lint it.",
    "check.sh": "#!/bin/sh\n",
}


@pytest.mark.parametrize(
    ("wanted", "known", "present", "steps"),
    [
        ({"a": "1"}, {}, {}, [Step("a", Act.PUT)]),
        ({"a": "1"}, {}, {"a": "1"}, []),
        ({"a": "2"}, {"a": ("1",)}, {"a": "1"}, [Step("a", Act.PUT)]),
        ({"a": "2"}, {"a": ("0", "1")}, {"a": "0"}, [Step("a", Act.PUT)]),
        ({"a": "1"}, {"a": ("1",)}, {"a": "9"}, [Step("a", Act.KEEP_AND_PUT)]),
        ({"a": "1"}, {}, {"a": OTHER}, [Step("a", Act.KEEP_AND_PUT)]),
        ({}, {"a": ("1",)}, {"a": "1"}, [Step("a", Act.REMOVE)]),
        ({}, {"a": ("1",)}, {"a": "9"}, [Step("a", Act.KEEP)]),
        ({}, {"a": ("1",)}, {}, []),
        (
            {"a/b": "2"},
            {"a": ("1",)},
            {"a": "1"},
            [Step("a", Act.REMOVE), Step("a/b", Act.PUT)],
        ),
    ],
)
def test_what_happens_to_a_file(
    wanted: dict[str, str],
    known: dict[str, tuple[str, ...]],
    present: dict[str, str],
    steps: list[Step],
) -> None:
    assert plan(wanted, known, present) == steps


def test_a_definition_is_put_whole_and_its_skills_where_the_cli_looks(
    source: Path, work: Path
) -> None:
    """P14: beside the definition, which may be read-only."""
    done = sync_definition(source, work)

    assert done.changed
    assert held(work) == WHOLE
    assert os.access(work / "check.sh", os.X_OK)
    assert not (work / "CLAUDE.md").stat().st_mode & 0o111


def test_a_second_sync_touches_nothing(source: Path, work: Path) -> None:
    sync_definition(source, work)
    before = times(work)

    done = sync_definition(source, work)

    assert not done.changed
    assert times(work) == before


def test_what_the_agent_edited_is_kept_beside_and_what_it_made_is_left(
    source: Path, work: Path
) -> None:
    sync_definition(source, work)
    (work / "CLAUDE.md").write_text("I review as I like.")
    (work / "notes").mkdir()
    (work / "notes" / "own.md").write_text(ANSWER)

    done = sync_definition(source, work)

    assert held(work) == {**WHOLE, "notes/own.md": ANSWER}
    assert [Path(path).read_text() for path in done.kept] == ["I review as I like."]


def test_what_left_the_definition_leaves_the_work_directory(
    source: Path, work: Path
) -> None:
    """No zombies: a skill that was removed does not come back."""
    sync_definition(source, work)
    shutil.rmtree(source / "skills")
    (source / "check.sh").unlink()
    (work / "check.sh").write_text("mine")

    done = sync_definition(source, work)

    assert held(work) == {"CLAUDE.md": "You review."}
    assert not (work / ".claude").exists()
    assert [Path(path).read_text() for path in done.kept] == ["mine"]


def test_a_file_may_become_a_directory_and_a_directory_a_file(
    source: Path, work: Path
) -> None:
    sync_definition(source, work)
    (source / "check.sh").unlink()
    (source / "check.sh").mkdir()
    (source / "check.sh" / "inner").write_text("1")
    shutil.rmtree(source / "skills")
    (source / ".claude").mkdir()
    (source / ".claude" / "skills").write_text("2")

    sync_definition(source, work)

    assert held(work) == {
        "CLAUDE.md": "You review.",
        "check.sh/inner": "1",
        ".claude/skills": "2",
    }


def test_links_that_the_agent_planted_lead_no_sync_astray(
    source: Path, work: Path, tmp_path: Path
) -> None:
    """What they lead to is neither read, moved nor written."""
    victim = tmp_path / "victim"
    (victim / "skills" / "lint").mkdir(parents=True)
    (victim / "skills" / "lint" / "SKILL.md").write_text("Lint it.")
    (victim / "CLAUDE.md").write_text("victim")
    sync_definition(source, work)
    shutil.rmtree(work / ".claude")
    (work / ".claude").symlink_to(victim)
    (work / "CLAUDE.md").unlink()
    (work / "CLAUDE.md").symlink_to(victim / "CLAUDE.md")
    before = times(victim)

    sync_definition(source, work)

    assert times(victim) == before
    found = {name: text for name, text in held(work).items() if "kept-" not in name}
    assert found == WHOLE
    assert not (work / ".claude").is_symlink()


def test_special_files_and_odd_manifests_stop_no_sync(source: Path, work: Path) -> None:
    sync_definition(source, work)
    manifest = work / ".agentkeep" / "definition.json"
    (work / "CLAUDE.md").unlink()
    os.mkfifo(work / "CLAUDE.md")
    for damage in (b"[" * 100_000, b'{"version": 1, "files": {"../x": ["0"]}}', b""):
        manifest.write_bytes(damage)
        sync_definition(source, work)
        assert held(work) == WHOLE
    manifest.unlink()
    manifest.mkdir()

    sync_definition(source, work)

    assert held(work) == WHOLE


def test_a_full_shelf_leaves_an_edit_where_it_is_and_says_so(
    source: Path, work: Path
) -> None:
    sync_definition(source, work)
    for number in range(MAX_KEPT):
        (work / "CLAUDE.md").write_text(f"edit {number}")
        sync_definition(source, work)
    (work / "CLAUDE.md").write_text("one too many")

    done = sync_definition(source, work)

    assert (work / "CLAUDE.md").read_text() == "one too many"
    assert "Remove those that nobody needs" in done.warnings[0]


def test_what_may_not_be_put_is_left_out_and_told(source: Path, work: Path) -> None:
    """P05: as an upload refuses it."""
    (source / "outside").symlink_to("/etc/passwd")
    (source / ".agentkeep").mkdir()
    (source / ".agentkeep" / "definition.json").write_text("{}")
    (source / "a\nb").write_text("x")

    done = sync_definition(source, work)

    assert held(work) == WHOLE
    assert len(done.warnings) == 3


def test_a_definition_that_cannot_be_read_is_said_to_be_so(
    source: Path, work: Path
) -> None:
    """P08: a fault is shown."""
    work.parent.joinpath("file").write_text("x")

    with pytest.raises(DefinitionUnusable, match="Not a directory as uid"):
        sync_definition(source, work.parent / "file" / "below")


def test_a_kill_at_any_instant_loses_nothing_and_the_next_sync_is_whole(
    source: Path, work: Path
) -> None:
    """P05's sister at run time: SIGKILL between any two steps on the disk."""
    rolls = random.Random(20260301)
    rename, seen = os.rename, 0

    for number in range(60):
        (source / "CLAUDE.md").write_text(f"version {number}")
        (source / "skills" / "lint" / "SKILL.md").write_text(f"skill {number}")
        if number % 3 == 0 and work.exists():
            (work / "check.sh").write_text(f"edit {number}")
        left = rolls.randint(0, 6)

        def dying(*given: object, at: int = left, **named: object) -> None:
            nonlocal seen
            seen += 1
            if seen > at:
                os.kill(os.getpid(), signal.SIGKILL)
            rename(*given, **named)  # type: ignore[arg-type]

        def act() -> None:
            os.rename = dying
            sync_definition(source, work)

        in_a_child(act)
        sync_definition(source, work)
        assert held(work)["CLAUDE.md"] == f"version {number}"
        assert held(work)[".claude/skills/lint/SKILL.md"] == f"skill {number}"
        assert held(work)["check.sh"] == "#!/bin/sh\n"

    kept = work / ".agentkeep" / "kept"
    texts = {path.read_text() for path in kept.iterdir()}
    assert {f"edit {number}" for number in range(3, 60, 3)} <= texts
    assert set(os.listdir(work / ".agentkeep")) == {"definition.json", "kept"}
    assert set(os.listdir(work)) == {".agentkeep", ".claude", "CLAUDE.md", "check.sh"}
