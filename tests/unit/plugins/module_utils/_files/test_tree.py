# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Everything below a root is reached without following a link."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    FileSystemFailed,
    LockBusy,
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

AGENT = Status(uid=20101, gid=20101, mode=0o750)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the directory that the tree holds open."""
    return tmp_path / "root"


@pytest.fixture
def tree(root: Path) -> Iterator[Tree]:
    """Return a tree over an empty directory."""
    with make_tree(str(root), 0o755) as opened:
        yield opened


def test_directory_gets_owner_and_mode(tree: Tree, root: Path) -> None:
    """A04: the numeric owner is what was declared."""
    tree.put("memory", AGENT)
    tree.put("memory/socket", Status(uid=20001, gid=20101, mode=0o2750))

    found = (root / "memory" / "socket").stat()
    assert tree.status("memory") == AGENT
    assert (found.st_uid, found.st_gid) == (20001, 20101)
    assert stat.S_IMODE(found.st_mode) == 0o2750


def test_directory_that_drifted_is_put_back(tree: Tree, root: Path) -> None:
    """A05: a drifted mode and a drifted owner are put back."""
    (root / "memory").mkdir(mode=0o777)

    tree.put("memory", AGENT)

    assert tree.status("memory") == AGENT


@pytest.mark.parametrize("target", ["/etc", ".", "nowhere"])
def test_link_is_refused_by_name(tree: Tree, root: Path, target: str) -> None:
    """A09: a link in the place of a directory is named and not followed."""
    (root / "memory").mkdir()
    (root / "memory" / ".claude").symlink_to(target)
    says = f'memory/.claude": ".claude" is a link to "{target}"'

    with pytest.raises(UnsafePath, match=says):
        tree.status("memory/.claude")
    with pytest.raises(UnsafePath, match=says):
        tree.put("memory/.claude", AGENT)
    with pytest.raises(UnsafePath, match=says):
        tree.put("memory/.claude/projects", AGENT)


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo])
def test_what_is_no_directory_is_refused_by_name(
    tree: Tree, root: Path, make: Callable[[Path], None]
) -> None:
    make(root / "memory")

    with pytest.raises(UnsafePath, match='"memory" is not a directory'):
        tree.put("memory", AGENT)


def test_missing_parent_is_refused(tree: Tree) -> None:
    with pytest.raises(UnsafePath, match="it vanished while the run was at work"):
        tree.put("memory/.claude", AGENT)


def test_file_is_written_whole_and_read_back(tree: Tree, root: Path) -> None:
    (root / ".layout.json.new").symlink_to("/etc/agentkeep-victim")

    tree.write("layout.json", b"{}", 0o644)

    assert tree.read("layout.json", 100) == b"{}"
    assert stat.S_IMODE((root / "layout.json").stat().st_mode) == 0o644
    assert os.listdir(root) == ["layout.json"]
    assert tree.read("other.json", 100) is None
    assert tree.read("nowhere/layout.json", 100) is None


def test_file_that_is_a_link_is_not_read(tree: Tree, root: Path) -> None:
    (root / "layout.json").symlink_to("/etc/passwd")

    with pytest.raises(UnsafePath, match=r"layout\.json"):
        tree.read("layout.json", 100)


def test_file_that_is_a_pipe_is_not_read(tree: Tree, root: Path) -> None:
    os.mkfifo(root / "layout.json")

    with pytest.raises(UnsafePath, match="it is not a regular file"):
        tree.read("layout.json", 100)


def test_lock_that_another_holds_is_named_in_the_end(tree: Tree, root: Path) -> None:
    times = iter([0.0, 1.0, 2.0])
    with make_tree(str(root), 0o755) as other, other.locked(".lock", 1):
        waiting = tree.locked(".lock", 2, lambda: next(times), lambda _seconds: None)

        with pytest.raises(LockBusy, match="has held it for 2 seconds"), waiting:
            pytest.fail("two runs held the lock")

    with tree.locked(".lock", 0):
        assert stat.S_IMODE((root / ".lock").stat().st_mode) == 0o600


def test_lock_that_is_a_link_is_refused(tree: Tree, root: Path) -> None:
    (root / ".lock").symlink_to("/etc/passwd")

    with pytest.raises(UnsafePath, match="lock"), tree.locked(".lock", 0):
        pytest.fail("a link was followed")


def test_lack_of_room_for_a_name_is_explained(tree: Tree) -> None:
    with pytest.raises(FileSystemFailed, match=r'Cannot lay out ".*": File name too'):
        tree.put("a" * 300, AGENT)


class Agent(threading.Thread):
    """Swap a directory for a link to the victim, again and again."""

    def __init__(self, memory: Path, victim: Path) -> None:
        super().__init__(daemon=True)
        self._memory = memory
        self._victim = victim
        self._end = threading.Event()
        self.swaps = 0

    def run(self) -> None:
        """Swap until the test is over."""
        place = self._memory / ".claude"
        while not self._end.is_set():
            self.swaps += 1
            kept = self._memory / f"kept-{self.swaps}"
            with contextlib.suppress(OSError):
                place.rename(kept)
                place.symlink_to(self._victim)
                place.unlink()
                kept.rename(place)

    def end(self) -> None:
        """Stop and wait for the last swap."""
        self._end.set()
        self.join()


def test_directory_swapped_for_a_link_again_and_again_is_never_followed(
    root: Path, tmp_path: Path
) -> None:
    """A09: a thread swaps a directory for a link while root lays it out."""
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    with make_tree(str(root), 0o755) as first:
        first.put("memory", AGENT)
    agent = Agent(root / "memory", victim)
    agent.start()
    rounds = refused = 0

    try:
        while rounds < 1000 or (refused == 0 and rounds < 50000):
            rounds += 1
            with make_tree(str(root), 0o755) as tree:
                try:
                    tree.put("memory/.claude", AGENT)
                    tree.put("memory/.claude/projects", AGENT)
                except UnsafePath:
                    refused += 1
    finally:
        agent.end()

    found = victim.stat()
    assert (found.st_uid, found.st_gid) == (0, 0)
    assert stat.S_IMODE(found.st_mode) == 0o700
    assert os.listdir(victim) == []
    assert agent.swaps > 10
    assert refused > 0
