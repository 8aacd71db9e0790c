# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A host of our own making, on which operators ask for mounts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    host,
    operator,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)

FoundPath = host.FoundPath
Passed = host.Passed
ALLOWLIST = "/etc/agentkeep/mount-allowlist.json"
ROOTS = [
    {"path": "/srv/projects", "allow_read_write": True},
    {"path": "/srv/docs"},
    {"path": "/home"},
]
WAY = (Passed("/", 0, 0, 0o755, 0), Passed("/srv", 0, 0, 0o755, 0))


@dataclass
class FakeHost:
    """Answer for a host on which everything is a directory of root, but for some."""

    allowlist: str | None = json.dumps({"allowed_roots": ROOTS})
    paths: dict[str, FoundPath] = field(default_factory=dict)
    user: int = 0

    def resolve(self, path: str) -> FoundPath:
        """Return what was put there, or a directory."""
        if path in self.paths:
            return self.paths[path]
        kind = "directory"
        if path == ALLOWLIST:
            kind = "missing" if self.allowlist is None else "file"
        return FoundPath(path, path, kind, mode=0o644, way=WAY)

    def read(self, path: str, limit_bytes: int) -> str:
        """Return the allowlist."""
        assert path.endswith(".json")
        return (self.allowlist or "")[:limit_bytes]

    def facts(self) -> host.HostFacts:
        """Return one person's home."""
        return host.HostFacts(homes=("/root", "/home/ann"), user=self.user)


def asked(
    params: dict[str, Any], one: FakeHost, *mounts: dict[str, Any], **options: Any
) -> operator.OperatorMounts:
    """Return what becomes of operator mounts of agent main."""
    return operator.operator_mounts(
        {
            **params,
            "data_root": "/srv/agentkeep",
            "operator_mounts": [{"agent": "main", **mount} for mount in mounts],
            "operator_mounts_refused": "skip",
            **options,
        },
        place.Deployment.from_params({**params, "data_root": "/srv/agentkeep"}),
        one,
    )


def reason(found: operator.OperatorMounts) -> str:
    """Return why the only mount was refused."""
    (refused,) = found.refused
    assert found.mounts == ()
    return refused.reason


def moved(path: str, resolved: str, **more: Any) -> FakeHost:
    """Return a host on which a path leads elsewhere."""
    found = FoundPath(path, resolved, **{"kind": "directory", "way": WAY, **more})
    return FakeHost(paths={path: found})


@pytest.fixture
def kit() -> SimpleNamespace:
    """Return what the tests beside this file ask with."""
    return SimpleNamespace(
        FakeHost=FakeHost,
        asked=asked,
        reason=reason,
        moved=moved,
        allowlist=ALLOWLIST,
        roots=ROOTS,
        way=WAY,
    )
