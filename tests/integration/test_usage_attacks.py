# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Root counts what an agent takes while that swaps directories for links out (I17)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._files.census import (
    Census,
)
from hostile_tree import AGENT, swapping

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

RACE_SECONDS = 3
HUGE = 1 << 40
Pairs = list[tuple[Path, Path]]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Return an agent's directory, with a sparse file beside it that is none of it."""
    tmp_path.chmod(0o755)
    outside = tmp_path / "outside"
    (outside / "below").mkdir(parents=True)
    for place in (outside, outside / "below"):
        with (place / "huge").open("wb") as file:
            file.truncate(HUGE)
    found = tmp_path / "memory"
    for number in range(40):
        (found / f"victim/d{number}/below").mkdir(parents=True)
        (found / f"victim/d{number}/below/file").write_bytes(b"x" * 100)
        (found / f"link-{number}").symlink_to(outside)
    (found / "way").symlink_to(outside)
    for path in (*found.rglob("*"), found):
        os.chown(path, AGENT, AGENT, follow_symlinks=False)
    return found


@pytest.fixture
def pairs(memory: Path) -> Pairs:
    """Return what changes places: directories, and the one above them, with links."""
    each = [(memory / f"victim/d{n}", memory / f"link-{n}") for n in range(40)]
    return [*each, (memory / "victim", memory / "way")]


def counted(memory: Path) -> int:
    """Return how many bytes a count of ours finds."""
    census = Census({str(memory): "all"}, 60)
    descriptor = os.open(memory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        census.add(descriptor, str(memory))
    finally:
        os.close(descriptor)
    assert census.problems == ()
    return census.tallies["all"].bytes


def counted_by_path(memory: Path) -> int:
    """Return what a careful count by paths finds, following no link that it sees."""
    found = 0
    for above, _directories, files in os.walk(memory):
        for name in files:
            try:
                found += os.lstat(os.path.join(above, name)).st_size
            except OSError:
                continue
    return found


def test_a_count_never_leaves_the_agent_s_directory(memory: Path, pairs: Pairs) -> None:
    runs, most, end = 0, 0, time.monotonic() + RACE_SECONDS

    with swapping(memory, pairs):
        while time.monotonic() < end:
            most = max(most, counted(memory))
            runs += 1

    assert runs > 10
    assert most < HUGE
    print(f"{runs} counts")


def test_the_same_race_defeats_a_count_by_path(memory: Path, pairs: Pairs) -> None:
    """The attack is a real one: it is not for lack of luck that the other passes."""
    most, end = 0, time.monotonic() + 60

    with swapping(memory, pairs):
        while time.monotonic() < end and most < HUGE:
            most = max(most, counted_by_path(memory))

    assert most >= HUGE
