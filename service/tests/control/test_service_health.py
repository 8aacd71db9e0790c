# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Health while the database's file system really fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .service import ControlProcess

if TYPE_CHECKING:
    from conftest import RunningStack

pytestmark = pytest.mark.live


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("fault", ["read-only", "full"])
async def test_health_is_503_while_the_database_cannot_be_written(
    running_stack: RunningStack, fault: str
) -> None:
    """J02, J03: a real mount, really read-only or full."""
    async with running_stack(with_spawner=False) as stack:
        directory = stack.directory / "database"
        directory.mkdir()
        options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory)]
        mount(*options)
        try:
            with ControlProcess(stack) as control:
                before = control.client.get("/health")
                spoil(directory, fault)
                during = control.client.get("/health")
                mend(directory, fault)
                after = control.client.get("/health")
                control.stop()
        finally:
            unmount(directory)

    assert (before.status_code, after.status_code) == (200, 200)
    assert during.status_code == 503
    assert during.json()["status"] == "degraded"
    assert during.json()["volumes"]["store"] is False
    assert during.json()["database"]["ok"] is (fault == "read-only")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
async def test_a_turn_that_is_not_on_disk_makes_its_agent_degraded_until_one_is(
    running_stack: RunningStack,
) -> None:
    """J02, G15: transcripts really read-only below a live client; never a 503."""
    async with running_stack(with_spawner=False) as stack:
        with ControlProcess(stack) as control:
            known = control.say("hello")["conversation_id"]
            projects = stack.memory() / ".claude" / "projects"
            mount("--bind", str(projects), str(projects))
            try:
                mount("-o", "remount,bind,ro", str(projects))
                lost = control.say("lost", conversation_id=known)
            finally:
                unmount(projects)
            control.stop()
            control.start()
            during = control.client.get("/health")
            told = control.client.get("/agents").json()[0]["unproved"]
            kept = control.say("kept", conversation_id=known)
            after = control.client.get("/health").json()
            figures = control.client.get("/metrics").text

    assert (lost["status"], lost["persisted"]) == ("success", False)
    assert "could not be proved" in lost["notice"]
    assert (during.status_code, during.json()["status"]) == (200, "degraded")
    assert "main" in " ".join(during.json()["problems"])
    assert told is True
    assert (kept["persisted"], kept["resumed"]) == (True, True)
    assert "not found" not in " ".join(after["problems"])
    assert 'agentd_agent_unproved{agent="main"} 0.0' in figures


def mount(*options: str) -> None:
    subprocess.run(["mount", *options], check=True)


def unmount(directory: Path) -> None:
    subprocess.run(["umount", "-l", str(directory)], check=True)


def spoil(directory: Path, fault: str) -> None:
    if fault == "read-only":
        # Files are open for writing, so the mount below cannot be made read-only;
        # a read-only one over it is what every new open meets.
        mount("--bind", str(directory), str(directory))
        mount("-o", "remount,bind,ro", str(directory))
        return
    with (directory / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            return


def mend(directory: Path, fault: str) -> None:
    if fault == "read-only":
        unmount(directory)
    else:
        (directory / "filler").unlink()
