# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The entries of a state inventory must agree with one another."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
    InvalidInventory,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.inventory import (
    Inventory,
)


def entry(name: str, target: str = "", **change: Any) -> dict[str, Any]:
    """Return a valid entry, mounted into agents at *target* if there is one."""
    mounts = [{"component": "agent", "target": target, "access": "rw"}]
    return {
        "name": name,
        "scope": "agent",
        "source": name,
        "owner": "agent",
        "mode": "0750",
        "mounts": mounts if target else [],
        "kind": "workspace",
        "backup": "files",
        **change,
    }


def refusal_of(*entries: dict[str, Any]) -> str:
    """Return how an inventory of these entries is refused."""
    with pytest.raises(InvalidInventory) as refusal:
        Inventory.from_params(list(entries))
    return str(refusal.value)


def test_inventory_that_is_no_list_is_refused() -> None:
    with pytest.raises(InvalidInventory, match="Write it as a list of entries"):
        Inventory.from_params({"memory": {}})


def test_two_entries_of_one_name_are_refused() -> None:
    said = refusal_of(entry("a"), entry("b"), entry("a", source="c"))

    assert 'entry "a"' in said
    assert "number 3 has the same name as number 1" in said


def test_two_entries_at_one_source_are_refused() -> None:
    said = refusal_of(entry("a"), entry("b", source="a"))

    assert 'entry "b"' in said
    assert 'at the same place as entry "a": source a' in said


def test_two_mounts_at_one_target_are_refused() -> None:
    """B05: two mounts with one target are refused."""
    said = refusal_of(entry("a", "/data"), entry("b", "/data"))

    assert 'entry "b"' in said
    assert 'agent already has a mount at "/data", of entry "a"' in said


def test_child_before_its_parent_is_refused() -> None:
    """B05: a list with a child before its parent is refused."""
    said = refusal_of(entry("child", "/data/memory/x"), entry("parent", "/data/memory"))

    assert 'entry "parent"' in said
    assert 'holds "/data/memory/x" of entry "child"' in said
    assert 'Move entry "parent" before entry "child"' in said


def test_child_after_its_parent_is_accepted() -> None:
    """B02: a nested mount follows the mount that holds it."""
    inventory = Inventory.from_params(
        [entry("parent", "/data/memory"), entry("child", "/data/memory/x")]
    )

    assert [one.name for one in inventory.entries] == ["parent", "child"]


def test_targets_with_a_common_beginning_are_not_nested() -> None:
    inventory = Inventory.from_params([entry("a", "/data/ab"), entry("b", "/data/a")])

    assert len(inventory.entries) == 2


@pytest.mark.parametrize(
    ("holder", "says"),
    [
        ([], 'within names "hub", which is not in the inventory'),
        ([entry("hub")], 'within names "hub", of which each agent has its own'),
        (
            [entry("hub", scope="deployment", owner="root", source=None, volume="v")],
            'within names "hub", which is no directory',
        ),
    ],
)
def test_within_must_name_a_shared_directory(
    holder: list[dict[str, Any]], says: str
) -> None:
    said = refusal_of(*holder, entry("own", source=None, within="hub"))

    assert 'entry "own"' in said
    assert says in said


@pytest.mark.parametrize(
    ("holder", "held"),
    [
        pytest.param(
            entry("hub", "/hub"),
            entry("own", "/own", source="hub/own"),
            id="agent owns it",
        ),
        pytest.param(
            entry("hub", "/hub", owner="root", mode="0770"),
            entry("own", "/own", source="hub/a/own"),
            id="a group may write to it",
        ),
        pytest.param(
            entry(
                "hub",
                scope="deployment",
                owner="control",
                mounts=[{"component": "control", "target": "/hub", "access": "rw"}],
            ),
            entry("own", "/own", source=None, within="hub"),
            id="control owns the hub",
        ),
    ],
)
def test_a_mounted_entry_where_others_could_put_a_link_is_refused(
    holder: dict[str, Any], held: dict[str, Any]
) -> None:
    """A09: the engine would follow it, as root."""
    said = refusal_of(holder, held)

    assert 'entry "own"' in said
    assert 'in the directory of entry "hub"' in said


@pytest.mark.parametrize(
    ("holder", "held"),
    [
        pytest.param(
            entry("hub", "/hub", owner="root"),
            entry("own", "/own", source="hub/own"),
            id="root owns it",
        ),
        pytest.param(
            entry(
                "hub",
                mounts=[{"component": "agent", "target": "/hub", "access": "ro"}],
            ),
            entry("own", "/own", source="hub/own"),
            id="no container can change it",
        ),
        pytest.param(entry("hub"), entry("own", source="hub/own"), id="not mounted"),
        pytest.param(
            entry("hub", scope="deployment", owner="control"),
            entry("own", "/own", source="hub/own"),
            id="another scope, so another place",
        ),
    ],
)
def test_an_entry_in_a_safe_directory_is_taken(
    holder: dict[str, Any], held: dict[str, Any]
) -> None:
    assert len(Inventory.from_params([holder, held]).entries) == 2


def test_optional_entry_is_used_only_if_included() -> None:
    inventory = Inventory.from_params([entry("a"), entry("b", optional=True)])

    assert [one.name for one in inventory.with_optional([]).entries] == ["a"]
    assert [one.name for one in inventory.with_optional(["b"]).entries] == ["a", "b"]


@pytest.mark.parametrize("name", ["a", "c"])
def test_including_what_is_not_optional_is_refused(name: str) -> None:
    inventory = Inventory.from_params([entry("a"), entry("b", optional=True)])

    with pytest.raises(InvalidInput, match=f'Cannot include entry "{name}"'):
        inventory.with_optional([name])


def test_within_an_optional_entry_that_is_left_out_is_refused() -> None:
    hub = entry("hub", scope="deployment", owner="root", optional=True)
    inventory = Inventory.from_params([hub, entry("own", source=None, within="hub")])

    with pytest.raises(InvalidInventory, match=r'entry "own".*"hub"'):
        inventory.with_optional([])


def test_what_another_program_manages_is_a_finding_and_no_refusal() -> None:
    hub, own = entry("hub", "/hub"), entry("own", "/own", source="hub/own")

    inventory = Inventory.from_params([hub, own], managed=False)

    (finding,) = inventory.findings
    assert 'entry "own": it is mounted and lies in the directory of entry "hub"' in (
        finding
    )
    assert Inventory.from_params([hub]).findings == ()
