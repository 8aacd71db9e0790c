# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Compose file, docker run and the drift check come from one list, on a real engine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    compare,
    compose,
)
from one_list import (
    HARD_VALUES,
    MAKERS,
    NAME,
    SECRETS,
    Container,
    Maker,
    by_compose,
    by_docker,
    declared,
    seen,
)
from running import docker


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Container]:
    """A declared container whose sources, networks and volume are there."""
    found = declared(tmp_path)
    for mount in found.mounts:
        if mount.type == "bind":
            Path(mount.source).mkdir(parents=True, exist_ok=True)
    for mount in found.mounts:
        if mount.uid is not None and mount.gid is not None and mount.mode is not None:
            os.chown(mount.source, mount.uid, mount.gid)
            Path(mount.source).chmod(mount.mode)
    for mount in found.mounts:
        if mount.entry == "config":
            (Path(mount.source) / "projects").mkdir(exist_ok=True)
        if mount.entry == "memory":
            (Path(mount.source) / "persona").mkdir(exist_ok=True)
    for network in found.networks or ():
        docker("network", "create", network)
    yield found
    subprocess.run(["docker", "rm", "--force", found.name], check=False)
    for network in found.networks or ():
        docker("network", "rm", network)
    queue = f"agentkeep-{NAME}-main-queue"
    subprocess.run(["docker", "volume", "rm", queue], check=False)


@pytest.mark.parametrize("make", MAKERS)
def test_a_container_is_what_it_was_declared_as(
    make: Maker, one: Container, tmp_path: Path
) -> None:
    """B01, B18: made by compose or by docker, it has no difference to the list."""
    make(one, tmp_path)

    found = seen(one)

    differing = compare.differences(one, found)
    assert [fault.field for fault in differing] == ["state"]
    assert differing[0].heal == compare.START


@pytest.mark.parametrize("make", MAKERS)
def test_a_running_container_holds_what_was_declared(
    make: Maker, one: Container, tmp_path: Path
) -> None:
    """B08, K08: the mounts that are really in the container are those of the list."""
    one = replace(one, command=("sleep", "600"))
    make(one, tmp_path, start=True)

    found = seen(one)

    assert compare.differences(one, found) == ()
    assert {mount.target for mount in found.mounts} == {m.target for m in one.mounts}


@pytest.mark.parametrize("make", MAKERS)
def test_nested_mounts_can_be_written_as_declared(
    make: Maker, one: Container, tmp_path: Path
) -> None:
    """B02, B04: a nested mount is writable in a read-only one, and the reverse."""
    writing = """
for directory in config config/projects memory memory/persona; do
    if touch /data/$directory/x 2>/dev/null; then echo rw; else echo ro; fi
done"""
    one = replace(one, command=("sh", "-c", writing), restart="no", init=False)
    make(one, tmp_path, start=True)

    docker("wait", one.name)

    assert docker("logs", one.name).split() == ["ro", "rw", "rw", "ro"]


@pytest.mark.parametrize("make", MAKERS)
def test_values_reach_the_process_unchanged(
    make: Maker, one: Container, tmp_path: Path
) -> None:
    """D09: whatever stands in a value, a secret or an argument, the process sees it."""
    one = replace(one, restart="no")
    make(one, tmp_path, start=True)

    docker("wait", one.name)

    arguments, environment = json.loads(docker("logs", one.name))
    assert arguments == list(HARD_VALUES.values())
    given = {name: environment.get(name) for name in {**HARD_VALUES, **SECRETS}}
    assert given == {**HARD_VALUES, **SECRETS}


def test_the_compose_file_is_valid_and_holds_no_secret(
    one: Container, tmp_path: Path
) -> None:
    """D01, D03, D10: compose says nothing about it, and secrets are named only."""
    path = tmp_path / "anywhere" / "compose.yml"
    path.parent.mkdir()
    one = replace(one, secret_environment={"SECRET": "sk-canary"})
    path.write_text(compose.compose_text([one], f"agentkeep-{NAME}"), encoding="utf-8")

    finished = subprocess.run(
        ["docker", "compose", "--file", str(path), "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert "sk-canary" not in path.read_text()
    assert f'name: "agentkeep-{NAME}-main-queue"' in path.read_text()


def changed(one: Container, **more: Any) -> Container:
    """Return the container with some fields changed."""
    return replace(one, **more)


REWRITTEN: Mapping[str, dict[str, Any]] = {
    "environment": {"environment": {**HARD_VALUES, "EMPTY": "x"}},
    "user": {"user": "20102:20101"},
    "restart": {"restart": "always"},
    "stop_grace": {"stop_grace_seconds": 34},
    "read_only": {"read_only": False},
    "capabilities": {"capabilities": ()},
    "security": {"no_new_privileges": False},
    "init": {"init": False},
    "limits": {"memory_bytes": 100_000_001},
    "temporary": {"temporary": ()},
    "logging": {"log_bytes": 1_000_000},
    "command": {"command": ("sleep", "1")},
    "working_directory": {"working_directory": "/data"},
    "labels": {"labels": {"agentkeep.id": "other"}},
    "health": {"health": None},
    "ports": {"ports": ()},
    "networks": {"networks": (f"agentkeep-{NAME}-front",)},
    "mounts": {"mounts": ()},
}


@pytest.mark.parametrize("field", REWRITTEN)
def test_a_container_made_another_way_differs_in_that_field(
    field: str, one: Container, tmp_path: Path
) -> None:
    """K03: what differs is found, and nothing else is."""
    by_docker(changed(one, **REWRITTEN[field]), tmp_path)

    found = {fault.field for fault in compare.differences(one, seen(one))}

    extra = {"settings"} if field == "labels" else set()
    assert found == {field, "state"} | extra


def test_options_of_mounts_are_no_drift(one: Container, tmp_path: Path) -> None:
    """B19: z and consistency may be set either way."""
    mounts = tuple(
        replace(mount, options=("cached", "z")) if mount.type == "bind" else mount
        for mount in one.mounts
    )
    by_docker(replace(one, mounts=mounts), tmp_path)

    found = {fault.field for fault in compare.differences(one, seen(one))}

    assert found == {"state"}


def inside(one: Container, script: str) -> str:
    """Return what a shell in the running container prints, as its own user."""
    return docker("exec", one.name, "sh", "-c", script)


def source(one: Container, entry: str) -> Path:
    """Return the directory of an entry on the host."""
    (found,) = [mount.source for mount in one.mounts if mount.entry == entry]
    return Path(found)


def test_a_file_that_is_replaced_is_seen_on_both_sides(
    one: Container, tmp_path: Path
) -> None:
    """B09, B10: a directory is mounted, so a renewed credential reaches both."""
    one = replace(one, command=("sleep", "600"))
    by_compose(one, tmp_path, start=True)
    (source(one, "config") / "token").write_text("old")
    assert inside(one, "cat /data/config/token") == "old"

    (source(one, "config") / "new").write_text("new")
    (source(one, "config") / "new").rename(source(one, "config") / "token")
    inside(
        one,
        "cd /data/memory; umask 077; echo t > .new; mv .new token",
    )

    assert inside(one, "cat /data/config/token") == "new"
    assert (source(one, "memory") / "token").read_text() == "t\n"
    assert (source(one, "memory") / "token").stat().st_mode & 0o777 == 0o600


def test_what_was_written_survives_restart_and_a_new_container(
    one: Container, tmp_path: Path
) -> None:
    """B14: whichever way the next container is made."""
    one = replace(one, command=("sleep", "600"), stop_grace_seconds=1)
    by_compose(one, tmp_path, start=True)
    inside(one, "echo kept > /data/memory/file")

    docker("restart", one.name)
    restarted = inside(one, "cat /data/memory/file")
    docker("rm", "--force", one.name)
    by_docker(one, tmp_path, start=True)

    assert (restarted, inside(one, "cat /data/memory/file")) == ("kept", "kept")


def test_another_access_is_a_difference_both_ways(
    one: Container, tmp_path: Path
) -> None:
    """C13: from read-only to writable, and back, a new container is made."""
    by_docker(one, tmp_path)
    flipped = tuple(
        replace(mount, effective="ro" if mount.effective == "rw" else "rw")
        for mount in one.mounts
    )

    found = compare.differences(replace(one, mounts=flipped), seen(one))

    assert {fault.subject for fault in found if fault.field == "mounts"} == {
        mount.target for mount in one.mounts
    }
    assert {fault.heal for fault in found if fault.field == "mounts"} == {"recreate"}
