# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The way to a data root leads through no link that others could change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    FileSystemFailed,
    UnsafePath,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._files.root import (
    make_tree,
    open_tree,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")


def test_missing_part_of_the_path_is_named_and_made(tmp_path: Path) -> None:
    root = str(tmp_path / "a" / "b")

    tree, missing = open_tree(root)
    assert (tree, missing) == (None, (str(tmp_path / "a"), root))

    with make_tree(root, 0o755):
        assert Path(root).stat().st_mode & 0o7777 == 0o755
    found, missing = open_tree(root)
    assert missing == ()
    assert found is not None
    with found:
        assert found.root == root


def test_data_root_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """A09: the message names the link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    with pytest.raises(UnsafePath, match='"link" is a link to "real"'):
        open_tree(str(tmp_path / "link"))


def test_data_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UnsafePath, match='"file" is not a directory'):
        open_tree(str(tmp_path / "file"))
    with pytest.raises(UnsafePath, match='"file" is not a directory'):
        make_tree(str(tmp_path / "file" / "below"), 0o755)


def test_link_of_root_on_the_way_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk" / "state").mkdir(parents=True)
    (tmp_path / "relative").symlink_to("disk")
    (tmp_path / "absolute").symlink_to(tmp_path / "relative")

    for name in ("relative", "absolute"):
        tree, missing = open_tree(str(tmp_path / name / "state"))
        assert missing == ()
        assert tree is not None
        with tree:
            assert tree.status("demo") is None


def test_link_of_another_user_on_the_way_is_refused(tmp_path: Path) -> None:
    """A09: a link that an agent owns is never followed."""
    (tmp_path / "disk" / "state").mkdir(parents=True)
    (tmp_path / "link").symlink_to("disk")
    os.chown(tmp_path / "link", 20101, 20101, follow_symlinks=False)

    with pytest.raises(UnsafePath, match='"link" is a link to "disk"'):
        open_tree(str(tmp_path / "link" / "state"))


@pytest.mark.parametrize(("owner", "mode"), [(20101, 0o755), (0, 0o777)])
def test_link_in_a_directory_that_others_change_is_refused(
    tmp_path: Path, owner: int, mode: int
) -> None:
    """A09: root's own link is refused where another user could replace it."""
    (tmp_path / "disk" / "state").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "link").symlink_to(tmp_path / "disk")
    os.chown(tmp_path / "theirs", owner, 0)
    (tmp_path / "theirs").chmod(mode)

    with pytest.raises(UnsafePath, match='"link" is a link to'):
        open_tree(str(tmp_path / "theirs" / "link" / "state"))


def test_links_in_a_circle_end_in_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(UnsafePath, match="is a link to"):
        open_tree(str(tmp_path / "a" / "state"))


def test_data_root_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    with pytest.raises(UnsafePath, match=r"everybody may write to it \(mode 0777\)"):
        open_tree(str(tmp_path / "open"))


def test_data_root_that_cannot_be_made_is_explained() -> None:
    with pytest.raises(FileSystemFailed, match='Cannot make "/proc/agentkeep"'):
        make_tree("/proc/agentkeep", 0o755)
