# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Mounts follow from the inventory, for each container."""

from __future__ import annotations

from typing import Any

from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    effective,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)

Deployment = place.Deployment
directories_of = effective.directories_of
mounts_of = effective.mounts_of


def test_each_agent_mounts_its_own_state_only(params: dict[str, Any]) -> None:
    """B13: what belongs to one agent is in no mount of another."""
    mounts = mounts_of(Deployment.from_params(params)).mounts

    for mount in mounts:
        if mount.agent and mount.entry in ("memory", "socket"):
            assert mount.agent in mount.source.split("/")
    assert len({mount.source for mount in mounts}) == len(mounts)


def test_mounts_are_complete_and_in_order(params: dict[str, Any]) -> None:
    """B01: there is one list of mounts."""
    root = f"{params['data_root']}/demo"

    mounts = mounts_of(Deployment.from_params(params)).mounts

    assert [
        (one.component, one.agent, one.type, one.source, one.target, one.effective)
        for one in mounts
    ] == [
        ("agent", "main", "bind", f"{root}/agents/main/memory", "/data/memory", "rw"),
        ("agent", "mail", "bind", f"{root}/agents/mail/memory", "/data/memory", "rw"),
        ("control", None, "bind", f"{root}/shared/sockets", "/run/sockets", "rw"),
        ("agent", "main", "bind", f"{root}/shared/sockets/main", "/run/control", "ro"),
        ("agent", "mail", "bind", f"{root}/shared/sockets/mail", "/run/control", "ro"),
        ("control", None, "volume", "agentkeep-demo-redis", "/data/queue", "rw"),
    ]


def test_optional_entry_is_mounted_once_it_is_included(params: dict[str, Any]) -> None:
    """A01: a read-only mount is added for each agent, and nothing else."""
    before = mounts_of(Deployment.from_params(params)).mounts

    after = mounts_of(
        Deployment.from_params({**params, "include_optional": ["org"]})
    ).mounts

    added = {(one.agent, one.target, one.effective) for one in set(after) - set(before)}
    assert added == {("main", "/data/org", "ro"), ("mail", "/data/org", "ro")}


def test_volume_of_an_agent_has_a_name_of_its_own(params: dict[str, Any]) -> None:
    """D03: names of volumes do not depend on a folder."""
    params["inventory"][0] = {
        **params["inventory"][0],
        "source": None,
        "volume": "memory",
        "directories": [],
    }

    mounts = mounts_of(Deployment.from_params(params)).mounts

    assert [one.source for one in mounts if one.entry == "memory"] == [
        "agentkeep-demo-main-memory",
        "agentkeep-demo-mail-memory",
    ]


def test_directories_are_named_by_entry_and_agent(params: dict[str, Any]) -> None:
    root = f"{params['data_root']}/demo"

    found = directories_of(Deployment.from_params(params))

    assert found == {
        "memory": {
            "main": f"{root}/agents/main/memory",
            "mail": f"{root}/agents/mail/memory",
        },
        "sockets": {"": f"{root}/shared/sockets"},
        "socket": {
            "main": f"{root}/shared/sockets/main",
            "mail": f"{root}/shared/sockets/mail",
        },
    }
