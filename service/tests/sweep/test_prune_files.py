# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Debug logs, lists of things to do, telemetry and logs go after their time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from agentd.transcripts.prune_files import Pruned, Rule, prune_area

from .old_files import DAY, OldFiles, age, held_open

AGES = {"debug": 3 * DAY, "todos": 3 * DAY, "telemetry": 7 * DAY, "logs": 7 * DAY}


@pytest.fixture
def side(tmp_path: Path) -> OldFiles:
    """An agent that has no file yet."""
    return OldFiles(tmp_path)


async def pruned(side: OldFiles, **more: object) -> Mapping[str, Mapping[str, int]]:
    """Have everything pruned that is old enough."""
    answer = await side.call("prune_files", older_than_seconds=AGES, **more)
    areas = answer["areas"]
    assert isinstance(areas, dict)
    return areas


async def test_each_area_has_a_time_of_its_own_and_tells_what_was_freed(
    side: OldFiles,
) -> None:
    # I10
    old = [
        side.put("debug/a.txt", 4, b"x" * 100),
        side.put("todos/deep/b.json", 4, b"x" * 10),
        side.put("telemetry/c.json", 8, b"x" * 7),
        side.put("logs/d.log", 8),
    ]
    new = [
        side.put("debug/e.txt", 2),
        side.put("telemetry/f.json", 6),
        side.put("shell-snapshots/g.sh", 99),
        side.put("settings.json", 99),
    ]
    age(side.config / "todos" / "deep", 4)

    areas = await pruned(side)

    assert not any(one.exists() for one in old)
    assert all(one.exists() for one in new)
    assert not (side.config / "todos" / "deep").exists()
    assert (side.config / "logs").is_dir()
    assert {area: (one["files"], one["bytes"]) for area, one in areas.items()} == {
        "debug": (1, 100),
        "todos": (1, 10),
        "telemetry": (1, 7),
        "logs": (1, 3),
    }


async def test_a_dry_run_counts_the_same_and_removes_nothing(side: OldFiles) -> None:
    # I08
    file = side.put("debug/a.txt", 4)

    dry = await pruned(side, dry_run=True)

    assert file.exists()
    assert dry == await pruned(side)
    assert not file.exists()


async def test_without_these_directories_nothing_is_removed(side: OldFiles) -> None:
    # I11
    areas = await pruned(side)

    assert {one["files"] for one in areas.values()} == {0}


async def test_a_file_that_a_process_holds_open_stays(side: OldFiles) -> None:
    # I12
    file = side.put("debug/a.txt", 4)
    with held_open(file):
        assert (await pruned(side))["debug"]["files"] == 0
    assert (await pruned(side))["debug"]["files"] == 1


async def test_links_are_not_followed(side: OldFiles, tmp_path: Path) -> None:
    outside = side.put("../outside/file", 99).resolve()
    side.put("debug/a.txt", 4)
    link = side.config / "debug" / "away"
    link.symlink_to(outside.parent)
    (side.config / "logs").symlink_to(outside.parent)
    then = os.stat(outside).st_mtime
    os.utime(link, (then, then), follow_symlinks=False)

    areas = await pruned(side)

    assert outside.exists()
    assert not link.is_symlink()
    assert areas["debug"]["files"] == 2
    assert areas["logs"]["files"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another user")
def test_what_cannot_be_removed_is_counted_and_the_others_go_on(
    side: OldFiles,
) -> None:
    # I06: a directory that belongs to root.
    side.put("debug/locked/a.txt", 4)
    side.put("debug/z.txt", 4)
    os.chmod(side.config / "debug" / "locked", 0o555)
    for path in (side.config, side.config / "debug"):
        os.chmod(path, 0o777)
    for path in side.config.parents:
        if path.stat().st_uid == 0 and path != Path("/") and path != Path("/tmp"):
            os.chmod(path, path.stat().st_mode | 0o055)
    code = (
        "import sys, time; from pathlib import Path;"
        "from agentd.transcripts.prune_files import Rule, prune_area;"
        "found = prune_area(Path(sys.argv[1]), 'debug', Rule(time.time(), False));"
        "print(found.files, found.failed)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(side.config)],
        capture_output=True,
        text=True,
        user=12345,
        group=12345,
        extra_groups=[],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )

    assert done.stdout.split() == ["1", "1"]


def test_no_directory_is_nothing_to_prune(tmp_path: Path) -> None:
    assert prune_area(tmp_path, "debug", Rule(1.0, dry_run=False)) == Pruned()
