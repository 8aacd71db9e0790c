# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A09: a deployment is read from what root alone has written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import UnsafePath
from ansible_collections.agentkeep.agents.plugins.module_utils._files.root import (
    open_tree,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._release.read import (
    HeldStore,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

USER = 21501


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return the directory of a deployment with a journal and a compose file."""
    path = tmp_path / "demo"
    (path / "releases").mkdir(parents=True)
    for name in ("journal.json", "compose.yml", "releases/index.json"):
        (path / name).write_text("{}")
    return path


def held(own: Path, managed: bool = True) -> HeldStore:
    """Return the store of that deployment."""
    tree, _missing = open_tree(str(own.parent))
    return HeldStore(tree, own.name, managed)


def test_a_deployment_directory_of_a_user_is_refused(own: Path) -> None:
    os.chown(own, USER, USER)

    with pytest.raises(UnsafePath, match=f"belongs to uid {USER}.*state_layout"):
        held(own).__enter__()
    with held(own, managed=False) as store:
        assert store is not None


@pytest.mark.parametrize("name", ["journal.json", "releases/index.json"])
def test_a_record_that_a_user_wrote_is_refused(own: Path, name: str) -> None:
    os.chown(own / name, USER, USER)

    with held(own) as store:
        assert store is not None
        with pytest.raises(UnsafePath, match=f'Cannot trust ".*{name}"'):
            store.text(*name.split("/"))
    with held(own, managed=False) as store:
        assert store is not None
        assert store.text(*name.split("/")) == b"{}"


def test_a_compose_file_of_a_user_is_only_compared(own: Path) -> None:
    """It is rewritten before compose reads it, so that it needs no trust."""
    os.chown(own / "compose.yml", USER, USER)

    with held(own) as store:
        assert store is not None
        assert store.text("compose.yml") == b"{}"
