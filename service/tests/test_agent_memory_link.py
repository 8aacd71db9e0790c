# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""E09, E10: the auto-memory's link, judged by real path, and the notes there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentd.agent.memory_link import link_memory
from agentd.transcripts.key import project_key


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """The agent's memory."""
    (tmp_path / "memory").mkdir()
    return tmp_path / "memory"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration directory beside the memory."""
    (tmp_path / "config" / "projects").mkdir(parents=True)
    return tmp_path / "config"


def auto_memory(config: Path, memory: Path) -> Path:
    """Return where the CLI keeps its notes."""
    return config / "projects" / project_key(memory) / "memory"


def test_no_link_is_made_in_the_default_layout(memory: Path) -> None:
    """E09."""
    config = memory / ".claude"
    (config / "projects").mkdir(parents=True)

    assert link_memory(config, memory) == []

    assert os.listdir(config / "projects") == []


def test_no_link_is_made_when_only_the_real_path_shows_the_loop(
    memory: Path, tmp_path: Path
) -> None:
    """E09: a comparison of texts does not see this."""
    (memory / ".claude" / "projects").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".claude").symlink_to(memory / ".claude")

    assert link_memory(tmp_path / "home" / ".claude", memory) == []

    assert os.listdir(memory / ".claude" / "projects") == []


def test_a_loop_of_an_earlier_system_is_removed(memory: Path) -> None:
    """E09: also the link that a second boot of it left in the memory."""
    config = memory / ".claude"
    link = auto_memory(config, memory)
    link.parent.mkdir(parents=True)
    link.symlink_to(memory)
    (memory / "memory").symlink_to(memory)

    assert link_memory(config, memory) == []

    assert not os.path.lexists(link) and not os.path.lexists(memory / "memory")


def test_notes_of_the_default_layout_are_left(memory: Path) -> None:
    """E10."""
    config = memory / ".claude"
    notes = auto_memory(config, memory)
    notes.mkdir(parents=True)
    (notes / "MEMORY.md").write_text("x")
    (memory / "memory").mkdir()

    link_memory(config, memory)

    assert (notes / "MEMORY.md").read_text() == "x"
    assert (memory / "memory").is_dir()


def test_the_link_is_made_in_a_separate_layout_and_only_once(
    config: Path, memory: Path
) -> None:
    """E09: a second link does not land inside the first."""
    for _boot in range(5):
        assert link_memory(config, memory) == []

    assert os.readlink(auto_memory(config, memory)) == str(memory)
    assert os.listdir(memory) == []
    assert os.listdir(auto_memory(config, memory).parent) == ["memory"]


def test_a_link_that_leads_elsewhere_is_replaced_and_its_target_left(
    config: Path, memory: Path, tmp_path: Path
) -> None:
    """E09."""
    (tmp_path / "other").mkdir()
    link = auto_memory(config, memory)
    link.parent.mkdir()
    link.symlink_to(tmp_path / "other")

    link_memory(config, memory)

    assert link.resolve() == memory
    assert os.listdir(tmp_path / "other") == []


def test_notes_move_where_there_are_none(config: Path, memory: Path) -> None:
    """E10."""
    notes = auto_memory(config, memory)
    notes.mkdir(parents=True)
    (notes / "MEMORY.md").write_text("index")
    (notes / "topic.md").write_text("topic")

    assert link_memory(config, memory) == []

    assert (memory / "MEMORY.md").read_text() == "index"
    assert (memory / "topic.md").read_text() == "topic"
    assert notes.resolve() == memory


def test_notes_that_the_memory_has_already_are_kept_on_both_sides(
    config: Path, memory: Path
) -> None:
    """E10."""
    notes = auto_memory(config, memory)
    notes.mkdir(parents=True)
    (notes / "MEMORY.md").write_text("old")
    (notes / "topic.md").write_text("topic")
    (memory / "MEMORY.md").write_text("new")

    [warning] = link_memory(config, memory)

    kept = notes.with_name("memory.kept-1")
    assert str(kept) in warning
    assert (memory / "MEMORY.md").read_text() == "new"
    assert (kept / "MEMORY.md").read_text() == "old"
    assert (kept / "topic.md").read_text() == "topic"
    assert notes.resolve() == memory


def test_only_plain_files_move_and_the_rest_is_kept(config: Path, memory: Path) -> None:
    """E10."""
    notes = auto_memory(config, memory)
    (notes / "deep").mkdir(parents=True)
    (notes / "deep" / "note.md").write_text("deep")
    (notes / "MEMORY.md").write_text("index")
    (notes / "out").symlink_to("/etc/passwd")
    os.mkfifo(notes / "pipe")

    [warning] = link_memory(config, memory)

    kept = notes.with_name("memory.kept-1")
    assert str(kept) in warning
    assert os.listdir(memory) == ["MEMORY.md"]
    assert sorted(os.listdir(kept)) == ["deep", "out", "pipe"]
    assert (kept / "deep" / "note.md").read_text() == "deep"
