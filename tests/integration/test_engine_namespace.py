# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The layout is right for engines of every kind, before anything is started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._engine.mapping import (
    read_id_map,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._layout.on_disk import (
    apply,
    read,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.id_map import (
    IDENTITY,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.options import (
    DEFAULT_SOCKET,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.plan import (
    plan_layout,
)
from ansible_collections.agentkeep.agents.plugins.modules import state_layout

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

ENGINE = Path(__file__).with_name("engine_in_namespace.py")


@pytest.fixture
def rootless(tmp_path: Path) -> Iterator[str]:
    """Return the socket of an engine that runs in a user namespace of its own."""
    path = str(tmp_path / "docker.sock")
    with subprocess.Popen(
        ["unshare", "--user", sys.executable, str(ENGINE), path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as engine:
        assert engine.stdin is not None
        assert engine.stdout is not None
        if engine.stdout.readline() != "waiting\n":
            pytest.skip("this machine lets nobody make a user namespace")
        for kind in ("uid", "gid"):
            ranges = Path(f"/proc/{engine.pid}/{kind}_map")
            ranges.write_text("0 1000 1\n1 100000 65536\n", encoding="ascii")
        engine.stdin.write("go\n")
        engine.stdin.flush()
        assert engine.stdout.readline() == "listening\n"
        yield path
        engine.kill()


def test_owners_follow_the_namespace_that_a_rootless_engine_runs_in(
    rootless: str, tmp_path: Path
) -> None:
    """A04: the process that holds the socket is asked for, and its map is read."""
    params: dict[str, Any] = {
        "data_root": str(tmp_path / "state"),
        "deployment": "demo",
        "inventory": [
            {
                "name": "memory",
                "scope": "agent",
                "source": "memory",
                "owner": "agent",
                "mode": "0750",
                "kind": "workspace",
                "backup": "files",
            }
        ],
        "agents": [{"name": "main", "uid": 20101}],
        "engine_socket": rootless,
        "repair": False,
        "lock_wait_seconds": 5,
    }

    layout = state_layout.wanted(params)
    apply(plan_layout(read(layout), layout), layout)

    found = (tmp_path / "state/demo/agents/main/memory").stat()
    assert (found.st_uid, found.st_gid) == (120100, 120100)
    assert (tmp_path / "state/demo").stat().st_uid == 0


def test_this_machines_engine_changes_no_id() -> None:
    """A04: it has no user namespace, and is asked over its real socket."""
    assert read_id_map(DEFAULT_SOCKET) == IDENTITY
