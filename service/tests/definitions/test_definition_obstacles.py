# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whatever an agent does to its work directory, its next turn begins (P14)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from skills.world import content, in_a_child

from agentd.agent.definition_sync import SHOWN_DIGITS, sync_definition
from definitions.test_definition_sync import WHOLE, held

NOBODY = 65534


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A definition with a skill and a program."""
    path = tmp_path / "reviewer"
    (path / "skills" / "lint").mkdir(parents=True)
    (path / "CLAUDE.md").write_text("You review.")
    (path / "skills" / "lint" / "SKILL.md").write_text("Lint it.")
    (path / "check.sh").write_text("#!/bin/sh\n")
    (path / "check.sh").chmod(0o755)
    return path


@pytest.mark.parametrize("filled", [False, True])
def test_directories_in_the_way_of_our_own_files_stop_no_sync(
    source: Path, tmp_path: Path, filled: bool
) -> None:
    work, edit = tmp_path / "work", "Edited."
    sync_definition(source, work)
    own = work / ".agentkeep"
    named = hashlib.sha256(b"-" + edit.encode()).hexdigest()[:SHOWN_DIGITS]
    for place in (own / "draft", own / "kept" / f"{named}-CLAUDE.md"):
        place.mkdir(parents=True)
        if filled:
            (place / "x").write_text("x")
    (work / "CLAUDE.md").write_text(edit)

    sync_definition(source, work)

    assert held(work) == WHOLE
    assert edit in content(own).values()


@pytest.mark.parametrize("file", [".claude", ".claude/skills/lint"])
def test_a_file_in_the_place_of_a_directory_of_skills_is_left_out_for_good(
    source: Path, tmp_path: Path, file: str
) -> None:
    """P04: valid where it was uploaded; where the CLI looks, only one can be."""
    work = tmp_path / "work"
    (source / file).parent.mkdir(parents=True, exist_ok=True)
    (source / file).write_text("in the way")

    first = sync_definition(source, work)
    second = sync_definition(source, work)

    assert held(work) == WHOLE
    assert any(file in warning for warning in first.warnings)
    assert (second.changed, second.kept) == (False, [])


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for other uids")
def test_directories_that_the_agent_closed_to_itself_are_opened_again(
    source: Path, tmp_path: Path
) -> None:
    work = tmp_path / "of-the-agent" / "work"
    work.parent.mkdir()
    os.chown(work.parent, NOBODY, NOBODY)
    for above in (tmp_path, *tmp_path.parents):
        if above.name.startswith(("pytest-", "popen-", "test_")):
            above.chmod(0o755)

    def sync_twice() -> None:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        sync_definition(source, work)
        (work / ".claude" / "skills").chmod(0)
        (work / ".claude").chmod(0)
        sync_definition(source, work)

    in_a_child(sync_twice)

    assert held(work) == WHOLE
