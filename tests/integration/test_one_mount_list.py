# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Compose file, docker run and the drift check come from one list, on a real engine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    compare,
    compose,
    container,
    declare,
    observed,
    run_arguments,
    services,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._engine import (
    mount_table,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    effective,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)
from running import docker, free_port

Container = container.Container
Observed = observed.Observed

IMAGE = "agentkeep/base:trixie"
NAME = "one-list"
HARD_VALUES = {
    "DOLLAR": "a$b ${HOME} $$ $",
    "QUOTES": 'it\'s "quoted" `too`',
    "SIGNS": "  a = b # c ; d & e | f > g \\ \\n \t",
    "UNICODE": "ü ☂ 🐙 \u2028 \u00a0 \ufeff",
    "EMPTY": "",
    "YAML": "no: [1, {2}] - *a &b !c %d @e",
}
SECRETS = {f"SECRET_{name}": value for name, value in HARD_VALUES.items()}
PRINTING = "import json,os,sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


def entry(name: str, target: str, access: str, **more: Any) -> dict[str, Any]:
    """Return an entry of which each agent mounts its own."""
    return {
        "name": name,
        "scope": "agent",
        "source": name,
        "owner": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": target, "access": access}],
        "kind": "workspace",
        "backup": "files",
        "purpose": f"The {name} of the agent.",
        **more,
    }


def declared(root: Path, **service: Any) -> tuple[Container, ...]:
    """Return the container of one agent with every kind of mount."""
    params = {
        "data_root": str(root),
        "deployment": NAME,
        "inventory": [
            entry("config", "/data/config", "ro", owner="root", mode="0755"),
            entry("projects", "/data/config/projects", "rw"),
            entry("memory", "/data/memory", "rw"),
            entry("persona", "/data/memory/persona", "ro"),
            entry("queue", "/data/queue", "rw", source=None, volume="queue"),
        ],
        "agents": [{"name": "main", "uid": 20101}],
        "uid_offset": 0,
        "services": {
            "agent": {
                "image": IMAGE,
                "command": ["/usr/bin/python3", "-c", PRINTING, *HARD_VALUES.values()],
                "environment": HARD_VALUES,
                "networks": ["front", "back"],
                "ports": [{"published": free_port(), "target": 8080}],
                "health": {
                    "command": ["test", "-d", "/data/memory", "-a", "it is $x"],
                    "interval_seconds": 7,
                    "timeout_seconds": 3,
                    "retries": 5,
                    "start_period_seconds": 20,
                    "start_interval_seconds": 0.5,
                },
                "restart": "on-failure:3",
                "stop_grace_seconds": 33,
                "capabilities": ["CHOWN"],
                "init": True,
                "memory_bytes": 100_000_000,
                "cpus": 0.7,
                "max_tasks": 50,
                "temporary": [{"target": "/tmp", "bytes": 1_000_000, "exec": True}],
                "working_directory": "/data/memory",
                **service,
            }
        },
    }
    deployment = place.Deployment.from_params(params)
    return declare.containers_of(
        deployment,
        effective.mounts_of(deployment),
        services.Services.from_params(
            params["services"], deployment, {"agent-main": SECRETS}
        ),
        container.DeclaredIdentity(
            id="0" * 32,
            settings={"agent-main": "1234567890abcdef"},
            images={"agent-main": docker("image", "inspect", "-f", "{{.Id}}", IMAGE)},
        ),
    )


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Container]:
    """A declared container whose sources, networks and volume are there."""
    (found,) = declared(tmp_path)
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


def by_compose(one: Container, folder: Path, *, start: bool = False) -> None:
    """Make the container as the deployment does."""
    path = folder / "compose.yml"
    volumes = [mount.source for mount in one.mounts if mount.type == "volume"]
    path.write_text(compose.compose_text([one], f"agentkeep-{NAME}"), encoding="utf-8")
    for volume in volumes:
        docker("volume", "create", volume)
    subprocess.run(
        [
            *("docker", "compose", "--file", str(path), "up", "--no-deps"),
            "--detach" if start else "--no-start",
        ],
        check=True,
        env={**os.environ, **one.secret_environment},
    )


def by_docker(one: Container, folder: Path, *, start: bool = False) -> None:
    """Make the container by docker's command line."""
    command = ["run", "--detach"] if start else ["create"]
    subprocess.run(
        ["docker", *command, *run_arguments.run_arguments(one)],
        check=True,
        cwd=folder,
        env={**os.environ, **one.secret_environment},
    )


MAKERS = [by_compose, by_docker]
Maker = Callable[..., None]


def seen(one: Container) -> Observed:
    """Return what the engine and the host say of the container."""
    inspected = json.loads(docker("inspect", one.name))[0]
    image = json.loads(docker("image", "inspect", inspected["Image"]))[0]
    pid = inspected["State"]["Pid"]
    targets = [mount.target for mount in one.mounts]
    return Observed.from_inspect(
        inspected,
        image["Config"],
        mount_table.read_mount_table(pid, targets) if pid else None,
        {
            mount.target: mount_table.read_source(mount.source)
            for mount in one.mounts
            if mount.type == "bind"
        },
    )


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
