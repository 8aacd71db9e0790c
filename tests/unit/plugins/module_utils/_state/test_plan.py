# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The plan of a layout says what changes, from what to what."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._state.layout import (
    Directory,
    Layout,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.marker import (
    Marker,
)
from ansible_collections.agentkeep.agents.plugins.module_utils._state.plan import (
    Found,
    Reading,
    plan_layout,
)

ROOT = Directory(path="demo", entry="", uid=0, gid=0, mode=0o711)
MEMORY = Directory(
    path="demo/memory", entry="memory", uid=5, gid=5, mode=0o750, repairable=True
)
MARKER = Marker(deployment="demo", id="0" * 32)
LAYOUT = Layout(
    data_root="/srv",
    deployment="demo",
    directories=(ROOT, MEMORY),
    tops=(MEMORY,),
    marker=Marker(deployment="demo"),
    repair=True,
)
ROOT_FOUND = Found(uid=0, gid=0, mode=0o711)
MEMORY_FOUND = Found(uid=5, gid=5, mode=0o750)


@dataclass(frozen=True)
class Row:
    """What is found, and the steps that follow."""

    name: str
    reading: Reading
    steps: tuple[tuple[str, str], ...]
    counts: tuple[int, int, int]


def found(memory: Found | None = None) -> Reading:
    """Return a reading of a laid-out deployment with this memory."""
    directories = {"demo": ROOT_FOUND}
    if memory:
        directories["demo/memory"] = memory
    return Reading(found=directories, marker=MARKER, foreign={})


ROWS = [
    Row("nothing to do", found(MEMORY_FOUND), (), (0, 0, 2)),
    Row("one missing", found(), (("create", "/srv/demo/memory"),), (1, 0, 1)),
    Row(
        "all missing",
        Reading(missing=("/srv",)),
        (
            ("create", "/srv"),
            ("write", "/srv/demo/layout.json"),
            ("create", "/srv/demo"),
            ("create", "/srv/demo/memory"),
        ),
        (2, 0, 0),
    ),
    Row(
        "mode drifted",
        found(Found(uid=5, gid=5, mode=0o777)),
        (("correct", "/srv/demo/memory"),),
        (0, 1, 1),
    ),
    Row(
        "user drifted",
        found(Found(uid=0, gid=5, mode=0o750)),
        (("correct", "/srv/demo/memory"),),
        (0, 1, 1),
    ),
    Row(
        "group drifted",
        found(Found(uid=5, gid=0, mode=0o750)),
        (("correct", "/srv/demo/memory"),),
        (0, 1, 1),
    ),
    Row(
        "marker missing",
        Reading(found={"demo": ROOT_FOUND, "demo/memory": MEMORY_FOUND}),
        (("write", "/srv/demo/layout.json"),),
        (0, 0, 2),
    ),
    Row(
        "foreign files",
        Reading(
            found={"demo": ROOT_FOUND, "demo/memory": MEMORY_FOUND},
            marker=MARKER,
            foreign={"demo/memory": 3},
        ),
        (("repair", "/srv/demo/memory"),),
        (0, 0, 2),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_plan_has_the_steps_that_are_needed(row: Row) -> None:
    plan = plan_layout(row.reading, LAYOUT)

    assert tuple((step.action, step.path) for step in plan.steps) == row.steps
    assert plan.changed == bool(row.steps)
    assert tuple(plan.output["counts"].values()) == row.counts
    assert set(plan.before) == set(plan.after) == {path for _action, path in row.steps}


def test_plan_shows_owner_and_mode_before_and_after() -> None:
    """A16: the diff lists owner and mode before and after."""
    plan = plan_layout(found(Found(uid=0, gid=5, mode=0o2755)), LAYOUT)

    assert plan.output["changes"] == [
        {
            "path": "/srv/demo/memory",
            "entry": "memory",
            "action": "correct",
            "before": {"owner": "0:5", "mode": "2755"},
            "after": {"owner": "5:5", "mode": "0750"},
        }
    ]


def test_what_was_made_to_lock_still_counts_as_made() -> None:
    first = plan_layout(Reading(missing=("/srv",)), LAYOUT)
    locked = Reading(found={"demo": ROOT_FOUND})

    second = plan_layout(locked.with_made(first, LAYOUT), LAYOUT)

    assert second == first


def test_what_others_made_while_waiting_for_the_lock_does_not_count() -> None:
    first = plan_layout(found(), LAYOUT)

    second = plan_layout(found(MEMORY_FOUND).with_made(first, LAYOUT), LAYOUT)

    assert second.changed is False


def test_a_marker_without_an_id_gets_one() -> None:
    """An earlier version wrote none."""
    reading = Reading(
        found={"demo": ROOT_FOUND, "demo/memory": MEMORY_FOUND},
        marker=Marker(deployment="demo"),
    )

    plan = plan_layout(reading, LAYOUT)

    assert [(step.action, step.path) for step in plan.steps] == [
        ("write", "/srv/demo/layout.json")
    ]


def test_what_is_there_only_when_present_is_corrected_and_not_made() -> None:
    there = replace(MEMORY, when_present=True)
    layout = replace(LAYOUT, directories=(ROOT, there))

    missing = plan_layout(found(), layout)
    drifted = plan_layout(found(Found(uid=5, gid=5, mode=0o777)), layout)

    assert missing.changed is False
    assert missing.output["counts"]["unchanged"] == 1
    assert [step.action for step in drifted.steps] == ["correct"]
