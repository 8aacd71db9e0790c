# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""An operator changes mode, access and backup of an entry, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)


def entry_of(params: dict[str, Any], name: str) -> Any:
    """Return an entry of the deployment of these options."""
    return place.Deployment.from_params(params).inventory.entry(name)


def test_modes_can_be_overridden(params: dict[str, Any]) -> None:
    """A05: each default mode is overridable."""
    params["adjustments"] = {"memory": {"mode": "0700", "backup": "none"}}

    memory = entry_of(params, "memory")

    assert (memory.mode, memory.backup) == (0o700, "none")
    assert entry_of(params, "sockets").mode == 0o711


def test_access_can_be_overridden(params: dict[str, Any]) -> None:
    """B10: credentials are read-only by default, and read-write by option."""
    params["inventory"][0]["mounts"][0]["access"] = "ro"

    assert entry_of(params, "memory").mounts[0].access == "ro"
    params["adjustments"] = {"memory": {"access": "rw", "mode": None}}
    assert entry_of(params, "memory").mounts[0].access == "rw"


@pytest.mark.parametrize(
    ("adjustments", "says"),
    [
        ({"nothing": {"mode": "0700"}}, "no entry of that name"),
        ({"memory": "0700"}, "its adjustment is '0700'"),
        ({"memory": {"owner": "root"}}, 'it cannot change "owner"'),
        ({"memory": {"mode": "0777"}}, "lets everybody write"),
        ({"memory": {"access": "x"}}, "a mount has the access 'x'"),
    ],
)
def test_other_adjustments_are_refused(
    params: dict[str, Any], adjustments: dict[str, Any], says: str
) -> None:
    params["adjustments"] = adjustments

    with pytest.raises(InvalidInput) as refusal:
        entry_of(params, "memory")

    assert says in str(refusal.value)
