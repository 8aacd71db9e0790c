# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Profiles whose containers another program makes, audited: their faults are found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import foreign_containers
import imitations
import pytest
from foreign_containers import Foreign, directory
from running import docker

PROJECTS = "/home/claude/.config/claude-code/projects"
SHARED = "/home/node/.claude"


@pytest.fixture(scope="module", autouse=True)
def _image() -> Iterator[None]:
    imitations.build()
    yield
    docker("rmi", imitations.IMITATION)


@pytest.fixture
def nanoclaw(tmp_path: Path) -> Iterator[Foreign]:
    """A session of NanoClaw that runs."""
    one = foreign_containers.nanoclaw(tmp_path / "project")
    one.start()
    yield one
    one.remove()


@pytest.fixture
def hooks(tmp_path: Path) -> Iterator[Foreign]:
    """An agent of claude-hooks that runs."""
    one = foreign_containers.claude_hooks(tmp_path / "claude-hooks")
    one.start()
    # Its image has the home; a volume that is made without it belongs to root.
    for volume in ("/state", "/home/claude"):
        docker("exec", "--user=0", one.container, "chown", "1000:1000", volume)
    yield one
    one.remove()


def written(container: str, directories: list[str]) -> dict[str, bool]:
    """Return into which directories the container's own user can write."""
    test = 'for one; do touch "$one/tried" 2>/dev/null && echo "$one"; done; true'
    said = docker("exec", container, "sh", "-c", test, "sh", *directories)
    return {one: one in said.split() for one in directories}


def test_nanoclaw_as_it_makes_its_containers_raises_no_alarm(nanoclaw: Foreign) -> None:
    """B08, B12: every mount, nested ones and single files too, and skill data."""
    assert nanoclaw.look() == set()

    found = written(
        nanoclaw.container,
        [
            *("/workspace", "/workspace/agent", SHARED, "/workspace/skill-data"),
            *("/workspace/agent/.claude-fragments", "/app/src", "/workspace/global"),
        ],
    )
    assert list(found.values()) == [True, True, True, True, False, False, False]
    data = nanoclaw.declaration.data_root / "data/v2-sessions/g-1/skill-data"
    assert (data / "tried").stat().st_uid == 1000
    assert nanoclaw.look() == set()


def test_a_container_that_kept_one_mount_of_all_is_found(nanoclaw: Foreign) -> None:
    """K08: healthy to look at and empty; after a rename only /workspace was left."""
    nanoclaw.start(nanoclaw.mounts[:1])

    missing = {target for _source, target, _mode in nanoclaw.mounts[1:]}
    assert nanoclaw.look() == {("mounts", "missing", one) for one in missing}


def test_a_directory_that_the_engine_made_for_root_is_found(nanoclaw: Foreign) -> None:
    """B17: the engine makes a missing source, and the agent cannot write there."""
    docker("rm", "--force", nanoclaw.container)
    shared = nanoclaw.declaration.data_root / "data/v2-sessions/g-1/.claude-shared"
    shutil.rmtree(shared)
    nanoclaw.start()

    assert written(nanoclaw.container, [SHARED]) == {SHARED: False}
    assert nanoclaw.look() == {("source", "owner", SHARED)}


def test_a_mount_that_nobody_lists_is_found(nanoclaw: Foreign) -> None:
    """B08: the whole surface, in both directions."""
    other = directory(nanoclaw.declaration.data_root, "elsewhere")
    nanoclaw.start([*nanoclaw.mounts, (other, "/workspace/extra/elsewhere", "rw")])

    assert nanoclaw.look() == {("mounts", "extra", "/workspace/extra/elsewhere")}


def test_claude_hooks_as_it_makes_its_containers_raises_no_alarm(
    hooks: Foreign,
) -> None:
    """B02, B06: a read-only configuration with projects that can be written."""
    assert hooks.look() == set()

    config = str(Path(PROJECTS).parent)
    found = written(hooks.container, ["/state", "/home/claude", PROJECTS, config])
    assert list(found.values()) == [True, True, True, False]
    assert hooks.look() == set()


def test_a_container_without_the_mount_of_projects_is_found(hooks: Foreign) -> None:
    """K04: the CLI cannot write there, says nothing, and no session resumes."""
    hooks.start(hooks.without(PROJECTS))

    assert written(hooks.container, [PROJECTS]) == {PROJECTS: False}
    assert hooks.look() == {("mounts", "missing", PROJECTS)}


def test_projects_that_are_mounted_read_only_are_found(hooks: Foreign) -> None:
    source = str(hooks.declaration.data_root / "agent-env/dev/projects")
    hooks.start([*hooks.without(PROJECTS), (source, PROJECTS, "ro")])

    assert written(hooks.container, [PROJECTS]) == {PROJECTS: False}
    assert hooks.look() == {("mounts", "changed", PROJECTS)}


def test_projects_that_belong_to_root_are_found(hooks: Foreign) -> None:
    os.chown(hooks.declaration.data_root / "agent-env/dev/projects", 0, 0)

    assert written(hooks.container, [PROJECTS]) == {PROJECTS: False}
    assert hooks.look() == {("source", "owner", PROJECTS)}


def test_a_mount_of_session_env_from_earlier_times_is_found(hooks: Foreign) -> None:
    """B06."""
    target = "/home/claude/.config/claude-code/session-env"
    old = directory(hooks.declaration.data_root, "agent-env/dev/session-env")
    hooks.start([*hooks.mounts, (old, target, "rw")])

    assert hooks.look() == {("mounts", "extra", target)}
