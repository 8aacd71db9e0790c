# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The walk over an agent's state: what it counts, and where it never comes (I17)."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from usage_trees import HUGE, du, grow, meanwhile, names

from agentd.usage.walk import DEEPEST, MOST_PROBLEMS, Amount, Bounds, Walk

LONG = Bounds(60)


def walked(*tops: Path, areas: dict[str, str] | None = None) -> Walk:
    """Return a walk that came to its end."""
    walk = Walk(areas or {}, LONG)
    for top in tops:
        walk.add(str(top), "all")
    return walk


def test_everything_is_counted_as_du_counts_it(tmp_path: Path) -> None:
    """I17: hard links, sparse files, links, loops of links, what is no file."""
    tree = tmp_path / "tree"
    grow(tree, tmp_path / "outside")

    walk = walked(tree)

    assert walk.amounts["all"] == Amount(du(tree), names(tree))
    assert (walk.problems, walk.whole) == ([], True)


def test_a_part_of_its_own_is_counted_apart_and_once(tmp_path: Path) -> None:
    """I17: a file with a name in each part is counted in one of them."""
    tree = tmp_path / "tree"
    grow(tree, tmp_path / "outside")
    before = len(os.listdir("/proc/self/fd"))

    walk = walked(tree, areas={f"{tree}/d2": "part", f"{tree}/d2/e2": "inner"})

    sizes = {name: amount.bytes for name, amount in walk.amounts.items()}
    assert sum(sizes.values()) == du(tree)
    assert sizes["inner"] == du(tree / "d2/e2")
    linked = 70_000
    assert sizes["part"] in (part := du(tree / "d2") - sizes["inner"], part - linked)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_not_there_is_nothing_and_a_link_is_not_followed(
    tmp_path: Path,
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to("outside")

    missing, link = walked(tmp_path / "missing"), walked(tmp_path / "link")

    assert missing.amounts == link.amounts == {"all": Amount()}
    assert missing.problems == []
    assert link.problems == [f"Cannot open {tmp_path}/link: Not a directory."]


def test_what_vanishes_meanwhile_is_no_problem(tmp_path: Path) -> None:
    """I17: directories come and go while they are counted."""
    for number in range(200):
        (tmp_path / f"stays-{number}").mkdir()
        (tmp_path / f"stays-{number}/file").write_bytes(b"x" * 100)
    numbers = itertools.count()

    def come_and_go() -> None:
        top = tmp_path / f"goes-{next(numbers)}"
        for below in ("a/b/c", "d/e"):
            (top / below).mkdir(parents=True)
            (top / below / "file").write_bytes(b"x")
        shutil.rmtree(top)

    walks = []
    with meanwhile(come_and_go) as times:
        while times() < 100:
            walks.append(walked(tmp_path))

    assert [walk.problems for walk in walks if walk.problems] == []
    assert all(walk.amounts["all"].files >= 200 for walk in walks)


def test_a_directory_that_becomes_a_link_leads_nowhere(tmp_path: Path) -> None:
    """I17: an agent swaps directories for links out while root counts."""
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

    walks = []
    with meanwhile(swap) as times:
        while times() < 500:
            walks.append(walked(tree, tree / "way"))

    assert max(walk.amounts["all"].bytes for walk in walks) < HUGE


LOOPING = """
import json, subprocess, sys
from agentd.usage.walk import Bounds, Walk
tree = sys.argv[1]
subprocess.run(["mount", "--bind", tree, tree + "/d1/again"], check=True)
walk = Walk({}, Bounds(60))
walk.add(tree, "all")
print(json.dumps([walk.amounts["all"].bytes, walk.problems]))
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes mounts")
def test_a_directory_that_is_mounted_in_itself_is_counted_once(tmp_path: Path) -> None:
    """I17: the one real loop that there can be."""
    tree = tmp_path / "tree"
    grow(tree, tmp_path / "outside")
    (tree / "d1/again").mkdir()
    command = ["unshare", "-m", sys.executable, "-c", LOOPING, str(tree)]

    said = subprocess.run(command, check=True, capture_output=True, text=True)

    size, problems = json.loads(said.stdout)
    assert size == du(tree) - (tree / "d1/again").lstat().st_size
    assert "a directory that it lies in itself" in problems[0]


def test_a_walk_ends_when_its_time_is_over(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}").mkdir()
    ticks = itertools.count()
    before = len(os.listdir("/proc/self/fd"))

    walk = Walk({}, Bounds(10), clock=lambda: float(next(ticks)))
    walk.add(str(tmp_path), "all")
    walk.add(str(tmp_path), "more")

    assert not walk.whole
    assert "within 10 s" in walk.problems[0]
    assert walk.amounts["more"] == Amount()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_walk_ends_when_nobody_waits_any_more(tmp_path: Path) -> None:
    walk = Walk({}, Bounds(60, stopped=lambda: True))

    walk.add(str(tmp_path), "all")

    assert not walk.whole


def test_what_lies_too_deep_is_told(tmp_path: Path) -> None:
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _unused in range(DEEPEST + 20):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
    finally:
        os.chdir(here)

    walk = walked(tmp_path)
    subprocess.run(["rm", "-rf", "--", str(tmp_path / ("d" * 100))], check=True)

    (problem,) = walk.problems
    assert f"deeper than {DEEPEST} directories" in problem
    assert len(problem) < 400


CLOSED = """
import json, sys
from agentd.usage.walk import Bounds, Walk
walk = Walk({}, Bounds(60))
walk.add(sys.argv[1], "all")
print(json.dumps([walk.amounts["all"].bytes, walk.problems]))
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_what_may_not_be_looked_at_is_told_and_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"x" * 500)
    for number in range(MOST_PROBLEMS + 3):
        (tree / f"closed-{number}").mkdir(mode=0o700)
    for above in (tree, *tree.parents[:3]):
        above.chmod(0o755)
    command = [sys.executable, "-c", CLOSED, str(tree)]

    said = subprocess.run(
        command, check=True, capture_output=True, text=True, user=65534, cwd="/"
    )

    size, problems = json.loads(said.stdout)
    assert size == du(tree)
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[0].startswith(f"Cannot open {tree}/closed-")
    assert problems[-1] == "And 3 more of this kind."
