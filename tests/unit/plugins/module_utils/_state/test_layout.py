# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Directories follow from the inventory and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._errors import (
    InvalidInput,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state import (
    deployment as place,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.layout import (
    Directory,
    Layout,
    Order,
    layout_of,
)

PASSAGES = {
    "demo": "0:0 711",
    "demo/agents": "0:0 711",
    "demo/agents/main": "0:0 711",
    "demo/agents/mail": "0:0 711",
    "demo/shared": "0:0 711",
}


def laid_out(params: dict[str, Any]) -> Layout:
    """Return the layout of these options."""
    return layout_of(place.Deployment.from_params(params), Order(repair=True))


def shown(directory: Directory) -> str:
    """Return owner and mode in short."""
    return f"{directory.uid}:{directory.gid} {directory.mode:o}"


def extra(**change: Any) -> dict[str, Any]:
    """Return one more entry."""
    return {
        "name": "extra",
        "scope": "agent",
        "source": "extra",
        "owner": "agent",
        "mode": "0700",
        "kind": "cache",
        "backup": "none",
        **change,
    }


def test_layout_holds_every_directory_with_owner_and_mode(
    params: dict[str, Any],
) -> None:
    """A02, A04: every declared directory and sub-directory, by owner and mode."""
    layout = laid_out(params)

    assert {one.path: shown(one) for one in layout.directories} == {
        **PASSAGES,
        "demo/agents/main/memory": "20101:20101 750",
        "demo/agents/main/memory/.claude": "20101:20101 750",
        "demo/agents/main/memory/.claude/projects": "20101:20101 750",
        "demo/agents/mail/memory": "20102:20102 750",
        "demo/agents/mail/memory/.claude": "20102:20102 750",
        "demo/agents/mail/memory/.claude/projects": "20102:20102 750",
        "demo/shared/sockets": "0:0 711",
        "demo/shared/sockets/main": "20001:20101 2750",
        "demo/shared/sockets/mail": "20001:20102 2750",
    }


def test_parents_come_before_their_children(params: dict[str, Any]) -> None:
    seen: set[str] = set()

    for directory in laid_out(params).directories:
        above = directory.path.rpartition("/")[0]
        assert above in seen or not above
        seen.add(directory.path)


def test_one_more_entry_is_laid_out_with_no_other_change(
    params: dict[str, Any],
) -> None:
    before = {one.path for one in laid_out(params).directories}
    params["inventory"].append(extra(directories=["a"]))

    after = {one.path for one in laid_out(params).directories}

    assert after - before == {
        "demo/agents/main/extra",
        "demo/agents/main/extra/a",
        "demo/agents/mail/extra",
        "demo/agents/mail/extra/a",
    }


def test_undeclared_parent_belongs_to_the_entry_that_holds_it(
    params: dict[str, Any],
) -> None:
    params["inventory"].append(extra(source="memory/a/b", owner="root"))
    params["inventory"].append(extra(name="deep", source="x/y"))

    found = {one.path: shown(one) for one in laid_out(params).directories}

    assert found["demo/agents/main/memory/a"] == "20101:20101 750"
    assert found["demo/agents/main/memory/a/b"] == "0:0 700"
    assert found["demo/agents/main/x"] == "0:0 711"
    assert found["demo/agents/main/x/y"] == "20101:20101 700"


def test_two_entries_that_declare_one_directory_are_refused(
    params: dict[str, Any],
) -> None:
    params["inventory"].append(extra(source="memory/.claude"))

    with pytest.raises(InvalidInput) as refusal:
        laid_out(params)

    assert 'Cannot lay out "demo/agents/main/memory/.claude"' in str(refusal.value)
    assert 'entry "memory" and entry "extra" both declare it' in str(refusal.value)


def test_repair_leaves_out_what_is_roots(params: dict[str, Any]) -> None:
    """A08, Q07: what a container writes is given back to it, sockets that stay too."""
    params["inventory"].append(extra(owner="root"))

    layout = laid_out(params)

    assert sorted(one.path for one in layout.repaired) == [
        "demo/agents/mail/memory",
        "demo/agents/main/memory",
        "demo/shared/sockets/mail",
        "demo/shared/sockets/main",
    ]


def test_layout_without_agents_holds_what_is_shared(params: dict[str, Any]) -> None:
    params["agents"] = []

    paths = [one.path for one in laid_out(params).directories]

    assert paths == ["demo", "demo/agents", "demo/shared", "demo/shared/sockets"]


def test_what_is_there_only_when_present_is_not_made(params: dict[str, Any]) -> None:
    params["inventory"].append(
        extra(source="x/y", optional="when_present", directories=["z"])
    )
    params["inventory"].append(extra(name="file", source="f", form="file"))

    layout = laid_out(params)

    assert {one.path for one in layout.directories if one.when_present} == {
        f"demo/agents/{agent}/x/{below}"
        for agent in ("main", "mail")
        for below in ("y", "y/z")
    }
    assert "demo/agents/main/x" not in {one.path for one in layout.directories}
    assert "demo/agents/main/f" not in {one.path for one in layout.directories}


def test_another_programs_layout_has_no_directories_of_ours(
    params: dict[str, Any],
) -> None:
    params["managed"] = False

    paths = {one.path for one in laid_out(params).directories}

    assert not paths & set(PASSAGES)
    assert "demo/agents/main/memory" in paths
