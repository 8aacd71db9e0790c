# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Where paths really lead on this host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._files import (
    host_paths,
)

HostPaths = host_paths.HostPaths


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Return a directory with a directory, a file and links in it."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/file").write_text("content")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "a/up").symlink_to("../a/b")
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere/at/all")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


PLACES = [
    ("a", "a", "directory"),
    ("a/file", "a/file", "file"),
    ("link/b", "a/b", "directory"),  # C05
    ("link/up", "a/b", "directory"),
    ("link/../a/./file", "a/file", "file"),
    ("nothing/x", "nothing/x", "missing"),  # B17
    ("dangling", "nowhere/at/all", "missing"),
    ("fifo", "fifo", "other"),
]


@pytest.mark.parametrize(("path", "resolved", "kind"), PLACES)
def test_a_path_is_followed_through_its_links(
    path: str, resolved: str, kind: str, here: Path
) -> None:
    """C05: the place is where the links lead."""
    found = HostPaths().resolve(f"{here}/{path}")

    assert (found.resolved, found.kind) == (f"{here}/{resolved}", kind)
    assert found.fault == ""


def test_a_link_to_elsewhere_is_elsewhere(here: Path) -> None:
    found = HostPaths().resolve(f"{here}/out/hostname")

    assert found.resolved == "/etc/hostname"


def test_every_directory_on_the_way_is_told(here: Path) -> None:
    """C05: those before a link too, since whoever may write there chooses the place."""
    (here / "a").chmod(0o777)
    (here / "link2").symlink_to(here / "a/up")

    found = HostPaths().resolve(f"{here}/link2")

    assert found.resolved == f"{here}/a/b"
    modes = {one.path: one.mode for one in found.way}
    assert modes[f"{here}/a"] == 0o777
    assert {"/", str(here)} <= set(modes)


@pytest.mark.parametrize("path", ["loop", "a/file/x"])
def test_what_cannot_be_followed_is_a_fault(path: str, here: Path) -> None:
    found = HostPaths().resolve(f"{here}/{path}")

    assert "cannot be followed" in found.fault


def test_no_descriptor_is_left_open(here: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))

    for path in ("a/b", "link/up", "loop", "nothing/x", "a/file/x", "out/hostname"):
        HostPaths().resolve(f"{here}/{path}")

    assert len(os.listdir("/proc/self/fd")) == before


def test_only_a_regular_file_of_a_sane_size_is_read(here: Path) -> None:
    """C02: a pipe in its place does not hang, a link is not followed."""
    assert HostPaths().read(f"{here}/a/file", 7) == "content"
    with pytest.raises(ValueError, match="larger than 6 bytes"):
        HostPaths().read(f"{here}/a/file", 6)
    with pytest.raises(ValueError, match="it is no file"):
        HostPaths().read(f"{here}/fifo", 7)
    with pytest.raises(OSError, match="symbolic links"):
        HostPaths().read(f"{here}/loop", 7)


def test_the_home_of_root_is_known() -> None:
    """B11: root's own login is guarded everywhere."""
    found = HostPaths().facts()

    assert "/root" in found.homes
    assert found.user == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
def test_an_id_that_the_host_has_no_name_for_is_told(here: Path) -> None:
    """C05: it is most likely that of a container."""
    os.chown(here / "a", 3_999_999, 3_999_998)

    found = HostPaths().resolve(f"{here}/a/b")

    nameless = {one.path: one.nameless for one in found.way}
    assert nameless[f"{here}/a"] == ("uid", "gid")
    assert nameless[str(here)] == ("child_uid",)
