# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The deployment that is broken by hand: an agent for each fault of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fault_table import Fault
from field_faults import FIELD_FAULTS
from host_faults import HOST_FAULTS
from modules import IMAGE, STAYS, Declaration
from running import free_port

FAULTS: tuple[Fault, ...] = (*FIELD_FAULTS, *HOST_FAULTS)
MEGABYTE = 2**20
SECRET = "stays-secret-5d0c"

INVENTORY: list[dict[str, Any]] = [
    {
        "name": "memory",
        "scope": "agent",
        "source": "memory",
        "owner": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": "/data/memory", "access": "rw"}],
        "kind": "workspace",
        "backup": "files",
        "directories": [".claude", ".claude/projects"],
    },
    {
        "name": "skill-data",
        "scope": "agent",
        "source": "skill-data",
        "owner": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": "/data/skills", "access": "rw"}],
        "kind": "skill_data",
        "backup": "files",
    },
    {
        "name": "config",
        "scope": "agent",
        "source": "config",
        "owner": "root",
        "group": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": "/config", "access": "ro"}],
        "kind": "config",
        "backup": "files",
    },
    {
        "name": "projects",
        "scope": "agent",
        "source": "config/projects",
        "owner": "agent",
        "mode": "0700",
        "mounts": [
            {"component": "agent", "target": "/config/projects", "access": "rw"}
        ],
        "kind": "transcripts",
        "backup": "files",
    },
]
AGENT = {
    "image": IMAGE,
    **STAYS,
    "environment": {"PLAIN": 'a "$value" # with=signs', "MORE": "more"},
    "networks": ["wire"],
    "memory_bytes": 64 * MEGABYTE,
    "cpus": 0.5,
    "max_tasks": 32,
    "temporary": [{"target": "/tmp", "bytes": MEGABYTE}],
    "stop_grace_seconds": 5,
    "working_directory": "/data",
}
CONTROL = {"image": IMAGE, **STAYS, "networks": ["wire", "spare"]}


def agents() -> list[dict[str, Any]]:
    """Return an agent for each fault, with what the fault wants of its service."""
    found = []
    for number, fault in enumerate(FAULTS):
        service = dict(fault.service)
        if "ports" in service:
            service["ports"] = [{**service["ports"][0], "published": free_port()}]
        name, uid = f"f{number:02}", 42000 + number
        found.append({"name": name, "uid": uid, "service": service})
    return found


def declared_at(data_root: Path) -> Declaration:
    """Return the deployment, whose state lies below a directory."""
    return Declaration(
        name="faults",
        data_root=data_root,
        inventory=INVENTORY,
        agents=agents(),
        components={"control": {"uid": 41999}},
        services={"agent": AGENT, "control": CONTROL},
        containers={
            "secret_environment": {"agent": {"TOKEN": SECRET}},
            "files": [
                {"entry": "config", "name": "settings.json", "content": '{"a": 1}'}
            ],
        },
    )
