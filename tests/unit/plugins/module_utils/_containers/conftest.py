# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A declared container with every field, and what a real engine said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    container,
    declare,
    observed,
    services,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    effective,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)

FIXTURES = Path(__file__).parent / "fixtures"
Params = dict[str, Any]


def entry(name: str, target: str, access: str, **more: Any) -> Params:
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


PARAMS: Params = {
    "data_root": "/srv/agentkeep",
    "deployment": "demo",
    "inventory": [
        entry("config", "/data/config", "ro", owner="root", mode="0755"),
        entry("projects", "/data/config/projects", "rw"),
        entry("memory", "/data/memory", "rw"),
        entry("queue", "/data/queue", "rw", source=None, volume="queue"),
    ],
    "agents": [{"name": "main", "uid": 20101}],
    "uid_offset": 0,
    "services": {
        "agent": {
            "image": "agentkeep/base:trixie",
            "command": ["sleep", "600"],
            "environment": {"PLAIN": "a $b", "EMPTY": ""},
            "networks": ["front", "back"],
            "ports": [{"published": 18798, "target": 8080}],
            "health": {
                "command": ["test", "-d", "/data/memory"],
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
            "config_directory": "/data/config",
        }
    },
}
SECRETS = {"agent-main": {"API_TOKEN": "canary"}}


def containers(params: Params, **identity: Any) -> tuple[container.Container, ...]:
    """Return the containers that options declare."""
    deployment = place.Deployment.from_params(params)
    return declare.containers_of(
        deployment,
        effective.mounts_of(deployment),
        services.Services.from_params(
            params["services"], deployment, params.get("secret_environment")
        ),
        container.DeclaredIdentity(id="0" * 32, **identity),
    )


@pytest.fixture
def declared_params() -> Params:
    """Return options that declare one agent with every field of a container."""
    return {**json.loads(json.dumps(PARAMS)), "secret_environment": SECRETS}


@pytest.fixture
def one(declared_params: Params) -> container.Container:
    """Return that container, with the id of the image in the fixtures."""
    image = json.loads((FIXTURES / "image.json").read_text())["Id"]
    (found,) = containers(
        declared_params,
        settings={"agent-main": "1234567890abcdef"},
        images={"agent-main": image},
    )
    return found


def recorded(name: str) -> Params:
    """Return what the engine said of the container, as ``inspect`` prints it."""
    found: Params = json.loads((FIXTURES / f"{name}.json").read_text())
    return found


def observe(inspected: Params, **more: Any) -> observed.Observed:
    """Return an observed container with the configuration of its image."""
    return observed.Observed.from_inspect(
        inspected, recorded("image")["Config"], **more
    )


@pytest.fixture
def seen() -> Any:
    """Return functions of this file for the tests beside it."""
    return observe


@pytest.fixture
def record() -> Any:
    """Return the function that reads a recorded answer."""
    return recorded


@pytest.fixture
def declared() -> Any:
    """Return the function that makes containers of options."""
    return containers
