# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One entry more in the inventory, and no other line: everything follows from it.

Directories, owners, mounts, the compose file, the audit, the report and drift are read
before the entry is deployed, with it, when it is broken by hand, and without it again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Deployment, docker, play

UIDS = {"first": 20101, "second": 20102}
NOTES = {
    "name": "notes",
    "scope": "agent",
    "source": "notes",
    "owner": "agent",
    "mode": "0700",
    "mounts": [{"component": "agent", "target": "/data/notes", "access": "rw"}],
    "kind": "workspace",
    "backup": "files",
    "purpose": "Notes that the operator wanted kept.",
}
ENTRY = {"deployment_inventory_extra": [NOTES]}


@pytest.fixture(scope="module")
def with_the_entry(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment, which is put back to what it was."""
    yield deployment
    outcome = deployment.deploy()
    assert outcome.status == 0, outcome.output


def report(deployment: Deployment, directory: Path, **more: Any) -> dict[str, Any]:
    """Return the parts of the report on the deployment as declared."""
    variables = {"report_directory": str(directory), "report_formats": ["json"]}
    outcome = play("report", variables={**deployment.settings(**more), **variables})
    assert outcome.status == 0, outcome.output
    (written,) = directory.glob("*.json")
    return dict(json.loads(written.read_text(encoding="utf-8"))["parts"])


def reasons(parts: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """Return service, field, kind and subject of all that the report calls drift."""
    return {
        (one["service"], reason["field"], reason["kind"], reason["subject"])
        for one in parts["drift"]["containers"]
        for reason in one["reasons"]
    }


def told_mounts(parts: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """Return agent, source, target and mode of the entry's mounts in the report."""
    return {
        (one["agent"], one["source"], one["target"], one["effective"])
        for one in parts["mounts"]["mounts"]
        if one["entry"] == "notes"
    }


def wanted_mounts(deployment: Deployment) -> set[tuple[str, str, str, str]]:
    """Return the mounts that follow from the entry."""
    return {(name, str(place(deployment, name)), "/data/notes", "rw") for name in UIDS}


def place(deployment: Deployment, agent: str) -> Path:
    """Return where the entry of an agent lies."""
    return deployment.directory / "agents" / agent / "notes"


def test_before_it_is_deployed_the_report_says_what_is_missing(
    with_the_entry: Deployment, tmp_path: Path
) -> None:
    parts = report(with_the_entry, tmp_path, **ENTRY)

    assert told_mounts(parts) == wanted_mounts(with_the_entry)
    assert reasons(parts) >= {
        (f"agent-{name}", "mounts", "missing", "/data/notes") for name in UIDS
    }
    assert {one["path"] for one in parts["owners"]["changes"]} == {
        str(place(with_the_entry, name)) for name in UIDS
    }
    assert not place(with_the_entry, "first").exists()


def test_deploying_it_makes_directories_mounts_and_the_compose_file(
    with_the_entry: Deployment, tmp_path: Path
) -> None:
    outcome = with_the_entry.deploy(**ENTRY)

    assert outcome.status == 0, outcome.output
    compose = (with_the_entry.directory / "compose.yml").read_text(encoding="utf-8")
    for name, uid in UIDS.items():
        path = place(with_the_entry, name)
        state = path.stat()
        assert (state.st_uid, state.st_gid, state.st_mode & 0o7777) == (uid, uid, 0o700)
        assert str(path) in compose
        mounts = with_the_entry.container("agent", name)["Mounts"]
        assert (str(path), "/data/notes", True) in {
            (one["Source"], one["Destination"], one["RW"]) for one in mounts
        }
        container = f"agentkeep-{with_the_entry.name}-agent-{name}"
        docker("exec", container, "sh", "-c", "echo kept >/data/notes/kept")
        assert (path / "kept").stat().st_uid == uid
    assert with_the_entry.deploy(**ENTRY).changed == 0
    calm = report(with_the_entry, tmp_path, **ENTRY)
    assert (reasons(calm), calm["owners"]["changes"]) == (set(), [])


def test_its_drift_is_found_and_healed(
    with_the_entry: Deployment, tmp_path: Path
) -> None:
    path = place(with_the_entry, "second")
    os.chown(path, 0, 0)

    broken = report(with_the_entry, tmp_path, **ENTRY)
    healed = with_the_entry.deploy(**ENTRY)

    assert reasons(broken) == {("agent-second", "source", "owner", "/data/notes")}
    assert [one["path"] for one in broken["owners"]["changes"]] == [str(path)]
    assert healed.status == 0, healed.output
    assert path.stat().st_uid == UIDS["second"]


def test_without_it_the_mounts_go_and_the_data_stays(
    with_the_entry: Deployment, tmp_path: Path
) -> None:
    foreseen = report(with_the_entry, tmp_path)
    outcome = with_the_entry.deploy()

    assert outcome.status == 0, outcome.output
    assert reasons(foreseen) >= {
        (f"agent-{name}", "mounts", "extra", "/data/notes") for name in UIDS
    }
    for name in UIDS:
        mounts = with_the_entry.container("agent", name)["Mounts"]
        assert "/data/notes" not in {one["Destination"] for one in mounts}
        assert (place(with_the_entry, name) / "kept").read_text() == "kept\n"
    compose = (with_the_entry.directory / "compose.yml").read_text(encoding="utf-8")
    assert not re.search("/notes\\b", compose)
