# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What belongs to a user is not relied on, unless another program manages it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import (
    mount_info,
    state_layout,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

Params = dict[str, Any]
USER = 21501


def without(params: Params, *names: str) -> Params:
    """Return the options without those that another module does not know."""
    return {key: value for key, value in params.items() if key not in names}


def mounted(params: Params) -> Params:
    """Return the options of mount_info."""
    return without(params, "repair", "lock_wait_seconds")


@pytest.mark.parametrize("check", [False, True])
def test_a_data_root_of_a_user_is_refused(
    params: Params, run_module: Any, check: bool
) -> None:
    """A09: its owner could put a link in the place of what the engine binds."""
    root = Path(params["data_root"])
    root.mkdir()
    os.chown(root, USER, USER)

    laid_out = run_module(state_layout, params, check=check)
    listed = run_module(mount_info, mounted(params), check=check)

    for done in (laid_out, listed):
        assert done.failed
        assert f'Cannot use "{root}" as data root' in done.message
        assert f"it belongs to uid {USER}" in done.message
        assert "Give it to root" in done.message
    assert not (root / "demo").exists()


def test_another_program_may_keep_its_state_below_a_user(
    params: Params, run_module: Any
) -> None:
    """A09: with managed=false the data root is the user's own directory."""
    root = Path(params["data_root"])
    root.mkdir()
    os.chown(root, USER, USER)
    (root / "demo").mkdir()
    (root / "demo/layout.json").write_text("of the other program")
    os.chown(root / "demo/layout.json", USER, USER)
    params["managed"] = False

    assert not run_module(state_layout, params, check=True).failed
    assert not run_module(mount_info, mounted(params)).failed


def test_a_deployment_directory_of_a_user_is_roots_before_it_is_relied_on(
    params: Params, run_module: Any
) -> None:
    """A05, A16: it is put back and shown as any other drift."""
    run_module(state_layout, params)
    own = Path(params["data_root"]) / "demo"
    os.chown(own, USER, USER)

    predicted = run_module(state_layout, params, check=True)
    done = run_module(state_layout, params)

    assert predicted.result["state_layout"] == done.result["state_layout"]
    (change,) = done.result["state_layout"]["changes"]
    assert change["action"] == "correct"
    assert change["before"] == {"owner": f"{USER}:{USER}", "mode": "0711"}
    assert own.stat().st_uid == 0
    assert not run_module(state_layout, params).changed


@pytest.mark.parametrize("check", [False, True])
def test_a_layout_file_of_a_user_is_not_believed(
    params: Params, run_module: Any, check: bool
) -> None:
    """A09: the file names the id that our containers are known by."""
    run_module(state_layout, params)
    marker = Path(params["data_root"]) / "demo/layout.json"
    forged = {**json.loads(marker.read_text()), "id": "0" * 32}
    marker.write_text(json.dumps(forged))
    os.chown(marker, USER, USER)

    done = run_module(state_layout, params, check=check)

    assert done.failed
    assert f'Cannot trust "{marker}"' in done.message
    assert f"it belongs to uid {USER}" in done.message
    assert "remove it, or give it to root" in done.message
