# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A small declared deployment, and a way to run a module as Ansible does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

Params = dict[str, Any]

ENTRIES: list[Params] = [
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
        "purpose": "Working directory of the agent.",
    },
    {
        "name": "sockets",
        "scope": "deployment",
        "source": "sockets",
        "owner": "root",
        "mode": "0711",
        "mounts": [{"component": "control", "target": "/run/sockets", "access": "rw"}],
        "kind": "socket",
        "backup": "none",
    },
    {
        "name": "socket",
        "scope": "agent",
        "within": "sockets",
        "owner": "control",
        "group": "agent",
        "mode": "2750",
        "mounts": [{"component": "agent", "target": "/run/control", "access": "ro"}],
        "kind": "socket",
        "backup": "none",
    },
    {
        "name": "org",
        "scope": "deployment",
        "source": "org",
        "owner": "root",
        "mode": "0755",
        "mounts": [{"component": "agent", "target": "/data/org", "access": "ro"}],
        "kind": "definitions",
        "backup": "files",
        "optional": True,
    },
    {
        "name": "queue",
        "scope": "deployment",
        "volume": "redis",
        "owner": "999:999",
        "mode": "0700",
        "mounts": [{"component": "control", "target": "/data/queue", "access": "rw"}],
        "kind": "queue",
        "backup": "redis",
    },
]


@pytest.fixture
def params(tmp_path: Path) -> Params:
    """Return the options of a state module for two agents below a fresh directory."""
    return {
        "data_root": str(tmp_path / "state"),
        "deployment": "demo",
        "inventory": copy.deepcopy(ENTRIES),
        "agents": [{"name": "main", "uid": 20101}, {"name": "mail", "uid": 20102}],
        "components": {"control": {"uid": 20001}, "gateway": {"uid": 20002}},
        "uid_offset": 0,
        "include_optional": [],
        "repair": False,
        "lock_wait_seconds": 5,
    }


@dataclass(frozen=True)
class Run:
    """How a module ended."""

    failed: bool
    changed: bool
    message: str
    result: Params


RunModule = Callable[..., Run]


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str]) -> RunModule:
    """Return a function that runs a module with options and returns its result."""

    def run(
        module: ModuleType, options: Params, *, check: bool = False, diff: bool = False
    ) -> Run:
        flags = {"_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args({**options, **flags}), pytest.raises(SystemExit):
            module.main()
        result = json.loads(capsys.readouterr().out)
        return Run(
            failed=result.get("failed", False),
            changed=result.get("changed", False),
            message=result.get("msg", ""),
            result=result,
        )

    return run
