# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""state_layout on a real file system: whose directories are, and nested ones."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import state_layout

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")

Params = dict[str, Any]


def seen(root: Path) -> dict[str, str]:
    """Return owner and mode of everything below a directory."""
    return {
        str(path.relative_to(root)): f"{found.st_uid}:{found.st_gid} "
        f"{stat.S_IMODE(found.st_mode):o}"
        for path in sorted(root.rglob("*"))
        for found in [path.lstat()]
    }


def test_another_uid_is_refused_and_given_everything_on_request(
    params: Params, run_module: Any
) -> None:
    """Q07, A08: changing a uid re-owns once by option, else it is refused."""
    run_module(state_layout, params)
    memory = Path(params["data_root"]) / "demo/agents/main/memory"
    (memory / ".claude/file").write_text("")
    os.chown(memory / ".claude/file", 20101, 20101)
    params["agents"][0] = {"name": "main", "uid": 4321}

    refused = [run_module(state_layout, params, check=check) for check in (True, False)]
    predicted = run_module(state_layout, {**params, "repair": True}, check=True)
    done = run_module(state_layout, {**params, "repair": True})

    for run in refused:
        assert run.failed is True
        assert 'agent "main" had 20101:20101 and is to have 4321:4321' in run.message
    assert predicted.result["state_layout"] == done.result["state_layout"]
    (repair,) = [
        change
        for change in done.result["state_layout"]["changes"]
        if change["action"] == "repair"
    ]
    assert (repair["path"], repair["before"]) == (str(memory), {"foreign": 3})
    assert {
        (path.lstat().st_uid, path.lstat().st_gid)
        for path in (memory, *memory.rglob("*"))
    } == {(4321, 4321)}
    assert run_module(state_layout, params).changed is False


def test_another_group_alone_is_given_everything_too(
    params: Params, run_module: Any
) -> None:
    """Q07: files keep no group that stands for somebody else later."""
    run_module(state_layout, params)
    file = Path(params["data_root"]) / "demo/agents/main/memory/file"
    file.write_text("")
    os.chown(file, 20101, 20101)
    params["agents"][0] = {"name": "main", "uid": 20101, "gid": 4321}

    assert run_module(state_layout, params).failed is True
    assert run_module(state_layout, {**params, "repair": True}).changed is True

    assert (file.stat().st_uid, file.stat().st_gid) == (20101, 4321)


def test_another_offset_is_refused_and_moved_on_request(
    params: Params, run_module: Any
) -> None:
    """Q07, A04: with userns-remap switched on later, the owners move by the offset."""
    run_module(state_layout, params)
    params["uid_offset"] = 100000

    refused = run_module(state_layout, params)
    done = run_module(state_layout, {**params, "repair": True})

    assert "for an engine that maps ids by" in refused.message
    assert done.failed is False
    found = seen(Path(params["data_root"]))
    assert found["demo/agents/main/memory/.claude/projects"] == "120101:120101 750"
    assert found["demo/shared/sockets/main"] == "120001:120101 2750"
    assert found["demo/shared/sockets"] == "0:0 711"
    assert run_module(state_layout, params).changed is False


def test_without_an_engine_the_owners_are_unknown_until_one_is_recorded(
    params: Params, run_module: Any, tmp_path: Path
) -> None:
    """Q09: the refusal names what to start or to set."""
    asked = {**params, "engine_socket": str(tmp_path / "none"), "uid_offset": None}

    predicted = run_module(state_layout, asked, check=True)
    refused = run_module(state_layout, asked)
    run_module(state_layout, {**params, "uid_offset": 100000})
    later = run_module(state_layout, asked)

    assert predicted.changed is True
    assert "no engine answers" in refused.message
    assert "uid_offset" in refused.message
    assert later.failed is False
    assert later.changed is False


def test_marker_of_an_earlier_version_gets_an_id(
    params: Params, run_module: Any
) -> None:
    run_module(state_layout, params)
    marker = Path(params["data_root"]) / "demo/layout.json"
    marker.write_text('{"layout_version": 1, "deployment": "demo"}')

    done = run_module(state_layout, params)

    assert [one["action"] for one in done.result["state_layout"]["changes"]] == [
        "write"
    ]
    assert json.loads(marker.read_text())["id"] == done.result["state_layout"]["id"]
    assert run_module(state_layout, params).changed is False


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_layout_does_not_depend_on_who_started_the_play(
    params: Params, run_module: Any, umask: int
) -> None:
    """A15: owners and modes are declared, and come from no umask and no group."""
    before, groups = os.umask(umask), os.getgroups()
    os.setgroups([1000])
    try:
        assert run_module(state_layout, params).failed is False
    finally:
        os.umask(before)
        os.setgroups(groups)

    found = seen(Path(params["data_root"]))
    assert found["demo/agents/main/memory/.claude/projects"] == "20101:20101 750"
    assert found["demo"] == "0:0 711"
    assert found["demo/layout.json"] == "0:0 644"


def test_nested_directory_is_made_again_when_it_was_deleted(
    params: Params, run_module: Any
) -> None:
    """B03: projects inside a read-only directory is there before every start."""
    config, projects = (
        {
            **params["inventory"][0],
            "name": name,
            "source": source,
            "directories": [],
            "mounts": [{"component": "agent", "target": target, "access": access}],
        }
        for name, source, target, access in (
            ("config", "config", "/home/claude/config", "ro"),
            ("projects", "config/projects", "/home/claude/config/projects", "rw"),
        )
    )
    params["inventory"][:1] = [config, projects]
    made = run_module(state_layout, params)
    path = Path(params["data_root"]) / "demo/agents/main/config/projects"
    path.rmdir()

    again = run_module(state_layout, params)

    assert made.failed is False
    assert [one["path"] for one in again.result["state_layout"]["changes"]] == [
        str(path)
    ]
    assert path.stat().st_uid == 20101
