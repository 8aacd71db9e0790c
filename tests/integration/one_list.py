# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A container with every kind of mount, made by compose or by docker, and read back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
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


SERVICE: dict[str, Any] = {
    "image": IMAGE,
    "command": ["/usr/bin/python3", "-c", PRINTING, *HARD_VALUES.values()],
    "environment": HARD_VALUES,
    "networks": ["front", "back"],
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
}
INVENTORY = [
    entry("config", "/data/config", "ro", owner="root", mode="0755"),
    entry("projects", "/data/config/projects", "rw"),
    entry("memory", "/data/memory", "rw"),
    entry("persona", "/data/memory/persona", "ro"),
    entry("queue", "/data/queue", "rw", source=None, volume="queue"),
]


def declared(root: Path) -> Container:
    """Return the container of one agent with every kind of mount."""
    ports = [{"published": free_port(), "target": 8080}]
    deployment = place.Deployment.from_params(
        {
            "data_root": str(root),
            "deployment": NAME,
            "inventory": INVENTORY,
            "agents": [{"name": "main", "uid": 20101}],
            "uid_offset": 0,
        }
    )
    (found,) = declare.containers_of(
        deployment,
        effective.mounts_of(deployment),
        services.Services.from_params(
            {"agent": {**SERVICE, "ports": ports}}, deployment, {"agent-main": SECRETS}
        ),
        container.DeclaredIdentity(
            id="0" * 32,
            settings={"agent-main": "1234567890abcdef"},
            images={"agent-main": docker("image", "inspect", "-f", "{{.Id}}", IMAGE)},
        ),
    )
    return found


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
