# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What compose cannot see: the sources of mounts and what a container really holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._containers import (
    compare,
    container,
    observed,
)

Container = container.Container
MountPoint = observed.MountPoint
SourceState = observed.SourceState
MEMORY = "/data/memory"


def clean(
    one: Container,
) -> tuple[dict[str, MountPoint], dict[str, SourceState]]:
    """Return what a right container holds, and what lies at its sources."""
    table, sources = {}, {}
    for inode, mount in enumerate(one.mounts, 100):
        table[mount.target] = MountPoint(
            target=mount.target,
            source_root=mount.source,
            read_only=mount.read_only,
            device=7,
            inode=inode,
        )
        if mount.type == "bind":
            sources[mount.target] = SourceState(
                exists=True,
                device=7,
                inode=inode,
                uid=mount.uid,
                gid=mount.gid,
                mode=mount.mode,
            )
    return table, sources


@dataclass(frozen=True)
class Fault:
    """Hold a fault of the memory's mount, and how it must be found."""

    kind: str
    heal: str
    point: dict[str, Any] | None = None
    source: dict[str, Any] | None = None
    gone: bool = False


FAULTS = [
    Fault("missing", compare.LAYOUT, source={"exists": False}),
    Fault("owner", compare.LAYOUT, source={"uid": 0}),
    Fault("owner", compare.LAYOUT, source={"gid": 0}),
    Fault("mode", compare.LAYOUT, source={"mode": 0o777}),
    Fault("replaced", compare.RECREATE, source={"inode": 9}),
    Fault("replaced", compare.RECREATE, source={"device": 9}),
    Fault("deleted", compare.RECREATE, point={"deleted": True}),
    Fault("not_mounted", compare.RECREATE, gone=True),  # K08
    Fault("mode_mismatch", compare.RECREATE, point={"read_only": True}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_every_fault_of_a_source_is_found(
    fault: Fault, one: Container, seen: Any, record: Any
) -> None:
    """K08, A04, A05: one fault, one difference, and what heals it."""
    table, sources = clean(one)
    sources[MEMORY] = replace(sources[MEMORY], **fault.source or {})
    table[MEMORY] = replace(table[MEMORY], **fault.point or {})
    if fault.gone:
        del table[MEMORY]

    found = compare.differences(
        one,
        seen(
            record("made_by_compose"),
            mount_table=tuple(table.values()),
            sources=sources,
        ),
    )

    assert [(one.field, one.kind, one.subject) for one in found] == [
        ("source", fault.kind, MEMORY)
    ]
    assert found[0].heal == fault.heal


def test_a_clean_container_has_no_fault(one: Container, seen: Any, record: Any) -> None:
    table, sources = clean(one)

    observed = seen(
        record("made_by_compose"), mount_table=tuple(table.values()), sources=sources
    )

    assert compare.differences(one, observed) == ()


def test_a_replaced_directory_with_a_wrong_owner_is_both(
    one: Container, seen: Any, record: Any
) -> None:
    table, sources = clean(one)
    sources[MEMORY] = replace(sources[MEMORY], inode=9, uid=0, gid=0)

    found = compare.differences(
        one,
        seen(
            record("made_by_compose"),
            mount_table=tuple(table.values()),
            sources=sources,
        ),
    )

    assert {fault.kind for fault in found} == {"owner", "replaced"}


def test_owner_and_mode_of_an_operators_directory_are_its_own(
    one: Container, seen: Any, record: Any
) -> None:
    table, sources = clean(one)
    mounts = tuple(replace(m, uid=None, gid=None, mode=None) for m in one.mounts)
    sources[MEMORY] = replace(sources[MEMORY], uid=1, gid=2, mode=0o777)

    found = compare.differences(
        replace(one, mounts=mounts),
        seen(
            record("made_by_compose"),
            mount_table=tuple(table.values()),
            sources=sources,
        ),
    )

    assert found == ()


def test_a_missing_mount_is_named_once(one: Container, seen: Any, record: Any) -> None:
    """K04: what the engine does not even know is no fault of its source too."""
    table, sources = clean(one)
    inspected = record("made_by_docker")
    for place in (inspected["Mounts"], inspected["HostConfig"]["Mounts"]):
        place[:] = [
            m for m in place if MEMORY not in (m.get("Destination"), m.get("Target"))
        ]
    del table[MEMORY]

    found = compare.differences(
        one, seen(inspected, mount_table=tuple(table.values()), sources=sources)
    )

    assert [(one.field, one.kind) for one in found] == [("mounts", "missing")]
