# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""session_info as root over trees that agents prepared, and change while it looks.

A09, G21: nothing outside of an agent's tree is read as one of its transcripts, nothing
is changed, and what one agent does hides nothing of another.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    place,
    read,
)
from hostile_tree import AGENT, OTHER, PLANTS, snapshot, swapping
from modules import play_tasks
from session_trees import FIRST, SECOND, THIRD, content_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

RACE_SECONDS = 3
PROJECTS = "memory/.claude/projects"
Options = dict[str, Any]


def options(tmp_path: Path) -> Options:
    """Return the options of two agents with a memory each."""
    memory = {
        "name": "memory",
        "scope": "agent",
        "source": "memory",
        "owner": "agent",
        "mode": "0750",
        "mounts": [{"component": "agent", "target": "/data/memory", "access": "rw"}],
        "kind": "workspace",
        "backup": "files",
        "directories": [".claude", ".claude/projects"],
    }
    service = {
        "image": "agentkeep/agentd:0.1.0",
        "config_directory": "/data/memory/.claude",
        "working_directory": "/data/memory",
    }
    return {
        "data_root": str(tmp_path / "state"),
        "deployment": "demo",
        "inventory": [memory],
        "agents": [{"name": "main", "uid": AGENT}, {"name": "mail", "uid": OTHER}],
        "uid_offset": 0,
        "services": {"agent": service},
    }


def prepare(tmp_path: Path, agent: str, uid: int, session: str) -> Path:
    """Lay out an agent by hand with one sound transcript; return its projects."""
    tmp_path.chmod(0o755)
    own = tmp_path / "state" / "demo" / "agents" / agent
    project = own / PROJECTS / "-data-memory"
    project.mkdir(parents=True)
    (project / f"{session}.jsonl").write_bytes(content_of(session))
    for path in (own / "memory", *(own / "memory").rglob("*")):
        os.chown(path, uid, uid)
    return project.parent


def test_what_agents_planted_changes_nothing_and_hides_nothing(tmp_path: Path) -> None:
    projects = prepare(tmp_path, "main", AGENT, FIRST)
    prepare(tmp_path, "mail", OTHER, SECOND)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{THIRD}.jsonl").write_bytes(content_of(THIRD))
    memory = projects.parents[1]
    for plant in PLANTS:
        if plant.__name__ != "loops":
            plant(memory, outside)
    (projects / "stolen").symlink_to(outside)
    (projects / "-data-memory" / f"{THIRD}.jsonl").symlink_to(
        outside / f"{THIRD}.jsonl"
    )
    before = snapshot(outside, tmp_path / "state" / "demo" / "agents" / "mail")

    (said,) = play_tasks(
        [{"agentkeep.agents.session_info": options(tmp_path)}], tmp_path, check=False
    )

    found = said["session_info"]
    assert said["changed"] is False
    assert {one["session_id"]: one["verdict"] for one in found["sessions"]} == {
        FIRST: "sound",
        SECOND: "sound",
        THIRD: "unusable",
    }
    assert [one["error"] for one in found["places"]] == [None, None]
    assert snapshot(outside, tmp_path / "state" / "demo" / "agents" / "mail") == before


def linked(projects: Path, outside: Path) -> list[tuple[Path, Path]]:
    """Return each directory and file on the way, and a link to take its place."""
    own = projects / "-data-memory"
    pairs = []
    for number, path in enumerate((projects, own, own / f"{FIRST}.jsonl")):
        link = projects.parents[1] / f"link-{number}"
        link.symlink_to(outside / path.relative_to(projects))
        os.chown(link, AGENT, AGENT, follow_symlinks=False)
        pairs.append((path, link))
    return pairs


def test_links_swapped_in_while_it_looks_lead_nowhere(tmp_path: Path) -> None:
    projects = prepare(tmp_path, "main", AGENT, FIRST)
    memory = projects.parents[1]
    outside = tmp_path / "outside"
    (outside / "-data-memory").mkdir(parents=True)
    # As sound as the agent's own, and known by its size.
    secret = content_of(FIRST) + b"\n" * 1000
    (outside / "-data-memory" / f"{FIRST}.jsonl").write_bytes(secret)
    pairs = linked(projects, outside)
    own = place.Place(
        service="agent-main",
        component="agent",
        agent="main",
        root=str(tmp_path / "state"),
        path=f"demo/agents/main/{PROJECTS}",
    )
    seen = set()

    with swapping(memory, pairs):
        end = time.monotonic() + RACE_SECONDS
        while time.monotonic() < end:
            (reading,) = read.read_places(
                [own], read.Bounds(10, 10), True, lambda _volume: None
            )
            seen |= {
                (one.verdict.word, one.verdict.bytes) for one in reading.transcripts
            }

    assert ("sound", len(content_of(FIRST))) in seen
    assert len(secret) not in {size for _word, size in seen}
