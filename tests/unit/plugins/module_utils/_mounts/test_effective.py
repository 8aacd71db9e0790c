# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Mounts follow from the inventory, for each container."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.agentkeep.agents.plugins.module_utils._mounts import (
    effective,
    host,
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


def test_a_parent_comes_before_what_lies_in_it(params: dict[str, Any]) -> None:
    """B05: however the list is ordered, a child never hides behind its parent."""
    found = mounts_of(Deployment.from_params(params)).mounts
    child = replace(found[0], target="/data/memory/a/b", source="/x")
    middle = replace(found[0], target="/data/memory/a", source="/y")
    other = replace(found[0], target="/data/memory-2", source="/z")

    ordered = effective.in_order((child, middle, other, *found))

    targets = [one.target for one in ordered if one.agent == "main"]
    places = [targets.index(one.target) for one in (found[0], middle, child)]
    assert places == sorted(places)
    assert set(ordered) == {child, middle, other, *found}


def test_an_agent_that_is_not_enabled_mounts_nothing(params: dict[str, Any]) -> None:
    params["agents"][1]["enabled"] = False

    found = mounts_of(Deployment.from_params(params)).mounts

    assert {one.agent for one in found} == {"main", None}


def test_owners_are_those_of_the_host(params: dict[str, Any]) -> None:
    """A04: with user namespaces, what the host must show is offset + uid."""
    params["uid_offset"] = 100_000

    found = mounts_of(Deployment.from_params(params)).mounts

    by_entry = {(one.entry, one.agent): (one.uid, one.gid, one.mode) for one in found}
    assert by_entry["memory", "main"] == (120101, 120101, 0o750)
    assert by_entry["sockets", None] == (0, 0, 0o711)
    assert by_entry["socket", "mail"] == (120001, 120102, 0o2750)
    assert by_entry["queue", None] == (None, None, None)


class Bare(host.Host):
    """A host on which nothing exists but one directory."""

    def __init__(self, *existing: str) -> None:
        self.existing = existing

    def resolve(self, path: str) -> host.FoundPath:
        """Return a directory or nothing."""
        kind = "directory" if path in self.existing else "missing"
        return host.FoundPath(path, path, kind)

    def read(self, path: str, limit_bytes: int) -> str:
        """Return nothing."""
        return ""

    def facts(self) -> host.HostFacts:
        """Return nothing in particular."""
        return host.HostFacts()


def test_an_entry_that_may_be_absent_is_mounted_where_it_is(
    params: dict[str, Any],
) -> None:
    """B08: what the other program leaves out is not expected."""
    params["managed"] = False
    params["inventory"][0]["optional"] = "when_present"
    deployment = Deployment.from_params(params)
    present = f"{params['data_root']}/demo/agents/mail/memory"

    found = effective.mount_list(params, deployment, Bare(present)).mounts

    assert [one.agent for one in found if one.entry == "memory"] == ["mail"]
