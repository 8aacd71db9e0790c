# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Files are written, copied and removed, and never through a link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    FileSystemFailed,
    UnsafePath,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.root import (
    make_tree,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.place import (
    FileState,
    Place,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

STATE = FileState(uid=21501, gid=21502, mode=0o640, content=b"wanted")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a data root with one directory of an agent."""
    (tmp_path / "root/agent").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def place(root: Path) -> Iterator[Place]:
    """Return the place to work in."""
    with make_tree(str(root), 0o755) as tree:
        yield Place(tree)


def test_a_file_gets_content_owner_and_mode_at_once(place: Place, root: Path) -> None:
    place.write("agent/file", STATE)

    assert place.file("agent/file") == STATE
    assert os.listdir(root / "agent") == ["file"]


def test_nothing_of_a_file_that_cannot_be_written_stays(
    place: Place, root: Path
) -> None:
    (root / "agent/file").mkdir()

    with pytest.raises(FileSystemFailed):
        place.write("agent/file", STATE)

    assert os.listdir(root / "agent") == ["file"]


def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(
    place: Place, root: Path, tmp_path: Path
) -> None:
    """A09: nothing outside changes."""
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    (root / "agent/file").symlink_to(outside)

    with pytest.raises(UnsafePath):
        place.file("agent/file")
    place.write("agent/file", STATE)

    assert outside.read_text() == "untouched"
    assert outside.stat().st_uid == 0
    assert place.file("agent/file") == STATE


def test_a_link_in_place_of_a_directory_is_refused(
    place: Place, root: Path, tmp_path: Path
) -> None:
    """A09: it is named."""
    (tmp_path / "elsewhere").mkdir()
    (root / "agent/below").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UnsafePath, match="below"):
        place.write("agent/below/file", STATE)

    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_draft_that_was_left_behind_is_no_obstacle(place: Place, root: Path) -> None:
    (root / "agent/.file.new").write_text("half")

    place.write("agent/file", STATE)

    assert os.listdir(root / "agent") == ["file"]


def test_a_copy_has_the_owner_and_the_mode_of_the_original(place: Place) -> None:
    place.write("agent/file", STATE)

    place.make_private("kept/deep")
    place.copy("agent/file", "kept/deep/file")

    assert place.file("kept/deep/file") == STATE


def test_everything_below_is_removed_and_nothing_that_links_lead_to(
    place: Place, root: Path, tmp_path: Path
) -> None:
    """K07, A09: a wipe stays inside, whatever an agent has put there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    (root / "agent/a/b").mkdir(parents=True)
    (root / "agent/a/link").symlink_to(outside)
    (root / "agent/a/loop").symlink_to(root / "agent")
    (root / "agent/a/b/file").write_text("x")

    place.remove_all("agent")
    place.remove_all("agent")

    assert not (root / "agent").exists()
    assert (outside / "file").read_text() == "untouched"


def test_only_regular_files_are_named_and_looked_into(place: Place, root: Path) -> None:
    (root / "agent/file").write_bytes(b"SQLite")
    (root / "agent/link").symlink_to("file")
    os.mkfifo(root / "agent/pipe")

    assert place.regular_names("agent") == ("file",)
    assert place.starts_with("agent/file", b"SQL")
    assert not place.starts_with("agent/link", b"SQL")
    assert not place.starts_with("agent/pipe", b"SQL")
