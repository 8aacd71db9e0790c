# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What belongs to others is found and given back, and nothing outside is touched."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    UnsafePath,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.root import (
    make_tree,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.tree import (
    Tree,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

UID = 20101
NONE: frozenset[str] = frozenset()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return the directory that is repaired."""
    path = tmp_path / "root" / "memory"
    path.mkdir(parents=True)
    os.chown(path, UID, UID)
    return path


@pytest.fixture
def tree(top: Path) -> Iterator[Tree]:
    """Return the tree that holds the directory."""
    with make_tree(str(top.parent), 0o755) as opened:
        yield opened


def test_foreign_files_are_given_to_the_owner(tree: Tree, top: Path) -> None:
    """A08: root's files and directories inside are given to uid and gid."""
    (top / "a").mkdir()
    (top / "a" / "file").write_text("text")
    (top / "a" / "file").chmod(0o640)
    (top / "own").write_text("")
    os.chown(top / "own", UID, 1234)
    os.mkfifo(top / "pipe")

    assert tree.foreign("memory", UID, NONE) == 3
    tree.give("memory", (UID, UID), NONE)

    assert tree.foreign("memory", UID, NONE) == 0
    assert (top / "a" / "file").stat().st_gid == UID
    assert stat.S_IMODE((top / "a" / "file").stat().st_mode) == 0o640
    assert (top / "own").stat().st_gid == 1234


def test_link_is_given_itself_and_its_target_never(
    tree: Tree, top: Path, tmp_path: Path
) -> None:
    """A08: links are changed themselves, targets outside never."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("")
    (top / "directory").symlink_to(outside)
    (top / "file").symlink_to(outside / "file")
    (top / "loop").symlink_to(top)
    (top / "broken").symlink_to("nowhere")

    tree.give("memory", (UID, UID), NONE)

    assert {name: (top / name).lstat().st_uid for name in os.listdir(top)} == {
        "directory": UID,
        "file": UID,
        "loop": UID,
        "broken": UID,
    }
    assert outside.stat().st_uid == 0
    assert (outside / "file").stat().st_uid == 0


def test_file_with_a_second_name_is_refused(
    tree: Tree, top: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("")
    os.link(tmp_path / "secret", top / "innocent")

    with pytest.raises(UnsafePath, match=r'memory/innocent": the file has 2 names'):
        tree.foreign("memory", UID, NONE)
    with pytest.raises(UnsafePath, match="the file has 2 names"):
        tree.give("memory", (UID, UID), NONE)

    assert (tmp_path / "secret").stat().st_uid == 0


def test_directory_of_another_entry_is_left_alone(tree: Tree, top: Path) -> None:
    (top / "theirs").mkdir()
    (top / "theirs" / "file").write_text("")

    apart = frozenset({str(top / "theirs")})

    assert tree.foreign("memory", UID, NONE) == 2
    assert tree.foreign("memory", UID, apart) == 0


def test_endless_depth_is_refused(tree: Tree, top: Path) -> None:
    deep = top
    for _level in range(220):
        deep = deep / "d"
        deep.mkdir()
        os.chown(deep, UID, UID)

    with pytest.raises(UnsafePath, match="more than 200 directories deep"):
        tree.foreign("memory", UID, NONE)


def test_missing_directory_has_nothing_foreign(tree: Tree) -> None:
    assert tree.foreign("nowhere", UID, NONE) == 0
