# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Files are read, replaced and copied whole, and never through a link."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    UnsafePath,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.descent import (
    Status,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.root import (
    make_tree,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.tree import (
    Tree,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Return a tree with the directories a and b."""
    with make_tree(str(tmp_path / "root"), 0o755) as opened:
        for name in ("a", "b"):
            opened.put(name, Status(uid=20101, gid=20101, mode=0o700))
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the directory that the tree holds open."""
    return tmp_path / "root"


def test_file_is_written_with_owner_and_mode(tree: Tree, root: Path) -> None:
    """A05: a secret is 0600 and belongs to who needs it."""
    tree.write("a/token", b"secret", 0o600, owner=(20101, 20102))

    found = (root / "a/token").stat()
    assert (found.st_uid, found.st_gid) == (20101, 20102)
    assert tree.file_status("a/token") == Status(uid=20101, gid=20102, mode=0o600)
    assert (root / "a/token").read_bytes() == b"secret"
    assert tree.names("a") == ("token",)


def test_link_in_the_place_of_a_file_is_replaced_and_not_followed(
    tree: Tree, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("outside")
    (root / "a/token").symlink_to(tmp_path / "outside")
    (root / "a/.token.new").symlink_to(tmp_path / "outside")

    tree.write("a/token", b"secret", 0o600, owner=(20101, 20101))

    assert (tmp_path / "outside").read_text() == "outside"
    assert (tmp_path / "outside").stat().st_uid == 0
    assert not (root / "a/token").is_symlink()


def test_copy_has_content_owner_and_mode(tree: Tree, root: Path) -> None:
    content = os.urandom(3 * 1024 * 1024 + 1)
    tree.write("a/data", content, 0o640, owner=(20001, 20002))

    tree.copy("a/data", "b/copy")

    assert (root / "b/copy").read_bytes() == content
    assert tree.file_status("b/copy") == Status(uid=20001, gid=20002, mode=0o640)
    assert tree.names("b") == ("copy",)


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_regular_file_is_not_copied(
    tree: Tree, root: Path, kind: str
) -> None:
    """A09: a link is never followed, and a pipe never waited for."""
    path = root / "a/data"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()

    with pytest.raises(UnsafePath):
        tree.copy("a/data", "b/copy")

    assert tree.names("b") == ()


def test_what_is_not_there_has_no_names_and_no_status(tree: Tree) -> None:
    assert tree.names("c") == ()
    assert tree.file_status("c/x") is None
    assert tree.file_status("a/x") is None
    assert tree.remove("a/x") is False
    assert tree.remove("c/x") is False
    assert tree.names("") == ("a", "b")
    with pytest.raises(UnsafePath, match="vanished"):
        tree.copy("a/x", "b/x")


def test_file_and_link_are_removed_themselves(
    tree: Tree, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("outside")
    (root / "a/link").symlink_to(tmp_path / "outside")

    assert tree.remove("a/link") is True

    assert (tmp_path / "outside").exists()
    assert stat.S_ISDIR((root / "a").stat().st_mode)
    assert tree.names("a") == ()
