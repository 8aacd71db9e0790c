# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Disks that are full or read-only: the reason is told, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentd.spawner.dial import CallFailed

from .side import Side
from .world import World, git

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts"),
]


@pytest.fixture
def small(world: World) -> Iterator[World]:
    """Return a world whose work directories are on a disk of two megabytes."""
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(world.places.root)]
    subprocess.run(words, check=True)
    yield world
    subprocess.run(["umount", "-l", str(world.places.root)], check=True)


def fill(disk: Path) -> Path:
    """Write a file that leaves no room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def remount(world: World, how: str) -> None:
    """Let the disk be "ro" or "rw"."""
    words = ["mount", "-o", f"remount,{how}", str(world.places.root)]
    subprocess.run(words, check=True)


async def test_a_full_disk_is_told_and_the_work_on_it_is_as_it_was(
    small: World,
) -> None:
    """H02, H06: nor is a sound clone taken for a broken one."""
    side = Side(small)
    tree = Path((await side.acquire("fix"))["path"])
    (tree / "WORK").write_text("1")
    filler = fill(small.places.root)
    small.push("main", NEW="x" * 100_000)

    with pytest.raises(CallFailed, match="room"):
        await side.acquire("other", "other")

    filler.unlink()
    assert (await side.acquire("other", "other"))["healed"] is False
    assert (await side.acquire("fix"))["created"] is False
    assert (tree / "WORK").read_text() == "1"
    assert small.is_clean()


async def test_work_that_cannot_be_saved_on_a_full_disk_is_not_removed(
    small: World,
) -> None:
    """H06."""
    side = Side(small)
    tree = Path((await side.acquire("fix"))["path"])
    (tree / "WORK").write_text(os.urandom(50_000).hex())
    await side.release("fix")
    filler = fill(small.places.root)

    told = await side.remove("fix")

    left = [path for path in small.places.root.rglob("WORK") if path.is_file()]
    assert [path.stat().st_size for path in left] == [100_000]
    filler.unlink()
    again = await side.remove("fix")
    kept = list(small.places.root.glob("forge/recovered/*/WORK"))
    assert kept or again["saved"] or told["saved"]


async def test_a_read_only_disk_is_told(small: World) -> None:
    """H01."""
    side = Side(small)
    await side.acquire("fix")
    remount(small, "ro")

    with pytest.raises(CallFailed, match="Read-only file system"):
        await side.acquire("other", "other")

    remount(small, "rw")
    assert (await side.acquire("other", "other"))["created"]
    assert git(small.tree("fix"), "status", "--porcelain") == ""


async def test_a_tree_on_the_wrong_branch_waits_for_room_to_save_its_work(
    small: World,
) -> None:
    """H06: the next turn is told where it is."""
    side = Side(small)
    tree = Path((await side.acquire("fix"))["path"])
    git(tree, "checkout", "--quiet", "-b", "other")
    (tree / "WORK").write_text(os.urandom(50_000).hex())
    filler = fill(small.places.root)
    # Room for a note, and none for the work.
    os.truncate(filler, filler.stat().st_size - 40_960)

    with pytest.raises(CallFailed, match="room"):
        await side.acquire("fix")

    assert (tree / "WORK").stat().st_size == 100_000
    filler.unlink()
    saved = (await side.acquire("fix"))["recovered"]
    assert len(git(tree, "show", f"{saved}:WORK")) == 100_000
