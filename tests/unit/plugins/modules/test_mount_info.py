# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""mount_info run as Ansible runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.agentkeep.agents.plugins.modules import mount_info

Params = dict[str, Any]


def options(params: Params) -> Params:
    """Return the options that this module knows."""
    unknown = ("repair", "lock_wait_seconds")
    return {key: value for key, value in params.items() if key not in unknown}


def test_mounts_are_listed_and_nothing_is_made(params: Params, run_module: Any) -> None:
    done = run_module(mount_info, options(params))

    root = f"{params['data_root']}/demo"
    assert done.changed is False
    assert done.result["mount_info"]["mounts"][0] == {
        "component": "agent",
        "agent": "main",
        "entry": "memory",
        "type": "bind",
        "source": f"{root}/agents/main/memory",
        "target": "/data/memory",
        "requested": "rw",
        "effective": "rw",
        "origin": "built-in",
        "root": None,
        "reason": "the state inventory declares it",
        "purpose": "Working directory of the agent.",
    }
    assert done.result["mount_info"]["directories"]["sockets"] == {
        "": f"{root}/shared/sockets"
    }
    assert not Path(params["data_root"]).exists()


def test_check_mode_lists_the_same(params: Params, run_module: Any) -> None:
    done = run_module(mount_info, options(params))

    checked = run_module(mount_info, options(params), check=True)

    assert checked.result["mount_info"] == done.result["mount_info"]


def test_equal_uids_are_refused(params: Params, run_module: Any) -> None:
    params["agents"][1]["uid"] = 20101

    done = run_module(mount_info, options(params))

    assert done.failed is True
    assert 'Cannot keep agent "mail" apart from agent "main"' in done.message
