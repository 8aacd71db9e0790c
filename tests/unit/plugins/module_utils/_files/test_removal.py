# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A directory is removed with all that it holds and with nothing else."""

from __future__ import annotations

import os
import subprocess
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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the directory that the tree holds open."""
    (tmp_path / "root" / "memory").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def tree(root: Path) -> Iterator[Tree]:
    """Return the tree that holds the directory."""
    with make_tree(str(root), 0o755) as opened:
        yield opened


def test_everything_below_is_removed_and_counted(tree: Tree, root: Path) -> None:
    memory = root / "memory"
    (memory / "a/b").mkdir(parents=True)
    (memory / "a/b/file").write_text("")
    os.mkfifo(memory / "pipe")
    tree.status("memory/a/b")

    assert tree.remove_tree("memory") == 5

    assert not memory.exists()
    assert tree.remove_tree("memory") == 0


def test_link_is_removed_itself(tree: Tree, root: Path, tmp_path: Path) -> None:
    """A09: neither what it points to nor what lies there is touched."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("kept")
    (root / "memory/link").symlink_to(tmp_path / "outside")
    (root / "memory/loop").symlink_to(".")

    assert tree.remove_tree("memory") == 3

    assert (tmp_path / "outside/file").read_text() == "kept"


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_directory_is_refused(
    tree: Tree, root: Path, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "outside").mkdir()
    path = root / "other"
    if kind == "link":
        path.symlink_to(tmp_path / "outside")
    else:
        path.write_text("")

    with pytest.raises(UnsafePath):
        tree.remove_tree("other")

    assert (tmp_path / "outside").exists()


def test_tree_that_is_deeper_than_descriptors_suffice_is_removed(
    tree: Tree, root: Path
) -> None:
    """An agent cannot keep its data from being wiped by nesting it."""
    here = os.open(root / "memory", os.O_RDONLY)
    for _level in range(3000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)

    assert tree.remove_tree("memory") == 3001

    assert list(root.iterdir()) == []


def test_mount_below_is_refused_and_kept(
    tree: Tree, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/file").write_text("kept")
    (root / "memory/kept").write_text("")
    (root / "memory/a b").mkdir()
    mount = [str(tmp_path / "disk"), str(root / "memory/a b")]
    subprocess.run(["mount", "--bind", *mount], check=True)
    try:
        with pytest.raises(UnsafePath, match="something else is mounted there"):
            tree.remove_tree("memory")
    finally:
        subprocess.run(["umount", mount[1]], check=True)

    assert (tmp_path / "disk/file").read_text() == "kept"
    assert (root / "memory/kept").exists()
