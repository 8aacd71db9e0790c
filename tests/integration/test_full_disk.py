# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A disk that is full in the middle of a run: what ran before runs again."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from module_runs import Small, begin, ended, text_of, wait_until


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A deployment that runs, on a file system of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    one = Small(disk / "state")
    try:
        one.lay_out()
        run = one.deploy()
        assert not run.failed, run.message
        yield one
    finally:
        one.destroy()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(path: Path) -> None:
    """Write until nothing fits any more."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError), os.fdopen(descriptor, "wb", 0) as file:
        while file.write(b"x" * 4096):
            pass


def test_containers_that_were_stopped_run_again_when_the_disk_is_full(
    small: Small,
) -> None:
    """K15: the journal cannot be written, neither forward nor back."""
    before = small.listed()
    slow = small.service("control", environment={"NEW": "1"})
    run = begin("deployment", small.params(services=slow))
    journal = small.root / "journal.json"
    filler = small.data_root.parent / "filler"

    assert wait_until(lambda: '"prepared"' in text_of(journal))
    fill(filler)
    failed = ended(run)
    after = small.listed()
    filler.unlink()
    done = small.deploy(services=slow)

    assert failed.failed
    assert "No space left" in failed.message
    assert "run as before" in failed.message
    assert after == before
    assert not done.failed, done.message
    assert all("running" in one for one in small.listed().values())
