# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A child in another mount namespace, as another user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    ProbeFailed,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.attempt import (
    Writing,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.inside import (
    begin,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.look import Look
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.process import (
    Process,
    RunsAs,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._probe.task import (
    Place,
    Task,
)

STATUS = """Name:\tsleep
Uid:\t1\t2\t3\t20101
Gid:\t1\t2\t3\t20102
Groups:\t20102 20103
CapEff:\t00000000a80425fb
"""
REMAPPED = """
import ctypes, os, sys, time
assert ctypes.CDLL(None).unshare(0x10000000 | 0x20000) == 0
print(flush=True)
sys.stdin.readline()
os.setgroups([])
os.setresgid(20101, 20101, 20101)
os.setresuid(20101, 20101, 20101)
print(flush=True)
time.sleep(60)
"""
PLACE = Path("/mnt")
as_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="only root enters other mounts",
)


class As(Process):
    """A process that is said to run as another user."""

    def runs_as(self) -> RunsAs:
        """Return a user without any right."""
        return RunsAs(uid=20101, gid=20102, groups=(20103,))


@pytest.fixture
def apart() -> Iterator[Process]:
    """Return a process with mounts of its own, in which a tmpfs is put on a place."""
    script = f"mount -t tmpfs -o mode=0777 none {PLACE} && echo && exec sleep 60"
    command = ["unshare", "--mount", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"\n"
        process = As.opened("test", "", running.pid)
        yield process
        process.close()
        running.kill()


def test_ids_are_those_that_the_file_system_asks() -> None:
    assert RunsAs.from_status(STATUS) == RunsAs(
        uid=20101, gid=20102, groups=(20102, 20103), capabilities=0xA80425FB
    )


def test_this_hosts_own_mounts_are_refused() -> None:
    process = Process.opened("test", "", os.getpid())

    with pytest.raises(ProbeFailed, match="it has the mounts of this host"):
        process.mounts()
    process.close()


def test_a_process_of_something_else_is_refused() -> None:
    with pytest.raises(ProbeFailed, match="belongs to something else now"):
        Process.opened("test", "0123456789abcdef", os.getpid())


def test_a_process_that_ended_is_named() -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()

    with pytest.raises(ProbeFailed, match=r'container "test" .* process ended'):
        Process.opened("test", "", ended.pid)


@pytest.fixture
def remapped(tmp_path: Path) -> Iterator[Process]:
    """Return a process as an engine with user namespaces starts it."""
    script = tmp_path / "remapped.py"
    script.write_text(REMAPPED)
    command = [sys.executable, str(script)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdout.readline()
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{running.pid}/{kind}").write_text("0 100000 65536\n")
        running.stdin.write(b"\n")
        running.stdin.flush()
        running.stdout.readline()
        process = Process.opened("test", "", running.pid)
        yield process
        process.close()
        running.kill()


def told(own: int) -> Mapping[str, Any]:
    """Return who the child is and what it still holds."""
    with open(f"/proc/self/fd/{own}/../status", encoding="ascii") as file:
        lines = dict(
            line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line
        )
    return {"status": lines, "held": len(os.listdir(own))}


@as_root
def test_the_child_is_the_user_and_has_no_rights(apart: Process) -> None:
    """A11: every id is the container's user's, and no capability is left."""
    answer = begin(apart, told).answer(time.monotonic() + 10)

    assert answer is not None
    status = answer["status"]
    assert status["Uid"].split() == ["20101"] * 4
    assert status["Gid"].split() == ["20102"] * 4
    assert status["Groups"].split() == ["20103"]
    assert {int(status[f"Cap{one}"], 16) for one in ("Eff", "Prm", "Inh", "Amb")} == {0}
    assert status["NoNewPrivs"] == "1"
    # The standard ones, the pipe, the namespace, and two on its own list of these.
    assert answer["held"] <= 7


@as_root
def test_the_child_has_the_ids_that_the_host_knows(remapped: Process) -> None:
    """A11: with user namespaces the owner on the host is offset and uid together."""
    answer = begin(remapped, told).answer(time.monotonic() + 10)

    assert answer is not None
    assert answer["status"]["Uid"].split() == ["120101"] * 4
    assert answer["status"]["Gid"].split() == ["120101"] * 4


@as_root
def test_the_child_sees_the_mounts_of_the_process(apart: Process) -> None:
    def write(_own: int) -> Mapping[str, Any]:
        (PLACE / "inside").write_text("x")
        return {"seen": os.listdir(PLACE)}

    answer = begin(apart, write).answer(time.monotonic() + 10)

    assert answer == {"seen": ["inside"]}
    assert not (PLACE / "inside").exists()


@as_root
def test_nothing_is_loaded_once_the_child_is_inside(apart: Process) -> None:
    """What lies in the container is never run, not even as a module of Python."""

    def watched(own: int) -> Mapping[str, Any]:
        loaded: list[str] = []
        sys.addaudithook(
            lambda event, given: (
                loaded.append(str(given[0])) if event == "import" else None
            )
        )
        place = Place("memory", str(PLACE))
        asked = Task((place,), replace(place, below=("projects",)), str(PLACE))
        Look(asked, Writing(".agentkeep-probe-test", b"x" * 64), own).answer()
        return {"loaded": loaded}

    answer = begin(apart, watched).answer(time.monotonic() + 10)

    assert answer == {"loaded": []}


@as_root
def test_a_child_that_takes_too_long_is_killed(apart: Process) -> None:
    def hang(_own: int) -> Mapping[str, Any]:
        time.sleep(60)
        return {}

    child = begin(apart, hang)

    assert child.answer(time.monotonic() + 0.05) is None
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


@as_root
@pytest.mark.parametrize(
    ("answer", "says"),
    [({"error": "it broke"}, "it broke"), ({"much": "x" * 2**21}, "it gave no answer")],
)
def test_a_child_that_fails_is_an_error(
    apart: Process, answer: dict[str, str], says: str
) -> None:
    with pytest.raises(ProbeFailed, match=says):
        begin(apart, lambda own: answer).answer(time.monotonic() + 10)


@as_root
def test_what_a_child_raises_is_told(apart: Process) -> None:
    def fail(_own: int) -> Mapping[str, Any]:
        return {"no": json.loads("{")}

    with pytest.raises(ProbeFailed, match="JSONDecodeError"):
        begin(apart, fail).answer(time.monotonic() + 10)
