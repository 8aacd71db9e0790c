# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What root counts in a tree of an agent, and where it never comes (I17)."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._files.census import (
    DEEPEST,
    Census,
    Tally,
    some_names,
)

from usage_trees import HUGE, du, grow, meanwhile, names


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Hold a directory open."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def counted(top: Path, parts: dict[str, str] | None = None) -> Census:
    """Return a census of one tree."""
    census = Census({str(top): "all", **(parts or {})}, 60)
    with held(top) as descriptor:
        census.add(descriptor, str(top))
    return census


def test_everything_is_counted_as_du_counts_it(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    grow(tree, tmp_path / "outside")
    before = len(os.listdir("/proc/self/fd"))

    census = counted(tree, {f"{tree}/d2": "part"})

    tallies = census.tallies
    assert sum(one.bytes for one in tallies.values()) == du(tree)
    assert sum(one.files for one in tallies.values()) == names(tree)
    assert tallies["part"].bytes >= du(tree / "d2") - 70_000
    assert (census.problems, census.whole) == ((), True)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_directory_that_becomes_a_link_leads_nowhere(tmp_path: Path) -> None:
    """An agent swaps directories for links out while root counts."""
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    grow(tree, outside)
    (tree / "way/below").mkdir(parents=True)
    (outside / "below").mkdir()
    with (outside / "below/huge").open("wb") as file:
        file.truncate(HUGE)

    def swap() -> None:
        os.rename(tree / "way", tree / "was")
        os.symlink(outside, tree / "way")
        os.unlink(tree / "way")
        os.rename(tree / "was", tree / "way")

    most = 0
    problems: list[str] = []
    with meanwhile(swap) as times:
        while times() < 500:
            census = counted(tree)
            most = max(most, census.tallies["all"].bytes)
            problems += census.problems

    assert most < HUGE
    assert problems == []


def test_what_lies_too_deep_is_told(tmp_path: Path) -> None:
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _unused in range(DEEPEST + 20):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
    finally:
        os.chdir(here)

    census = counted(tmp_path)
    subprocess.run(["rm", "-rf", "--", str(tmp_path / ("d" * 100))], check=True)

    (problem,) = census.problems
    assert f"deeper than {DEEPEST} directories" in problem


@pytest.mark.parametrize("seconds", [0, 3])
def test_a_census_ends_when_its_time_is_over(tmp_path: Path, seconds: int) -> None:
    for number in range(30):
        (tmp_path / f"{number}").mkdir()
    ticks = itertools.count()
    before = len(os.listdir("/proc/self/fd"))

    parts = {str(tmp_path): "all"}
    census = Census(parts, seconds, clock=lambda: float(next(ticks)))
    with held(tmp_path) as descriptor:
        census.add(descriptor, str(tmp_path))
        census.add(descriptor, str(tmp_path))

    assert not census.whole
    assert len(os.listdir("/proc/self/fd")) == before


def test_one_file_is_counted_if_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 12)
    census = Census({"a": "a", "b": "b"}, 60)

    with held(tmp_path) as descriptor:
        census.add_file(descriptor, "file", "a")
        census.add_file(descriptor, "missing", "b")

    assert census.tallies == {"a": Tally(12, 1)}
    assert census.problems == ()


def test_of_very_many_names_only_some_are_read(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}").mkdir()

    with held(tmp_path) as descriptor:
        assert len(some_names(descriptor, 5)) == 5
