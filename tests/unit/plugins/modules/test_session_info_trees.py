# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""session_info as root in trees that an agent may have prepared."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import read
from ansible_collections.agentkeep.agents.plugins.modules import session_info
from session_trees import (
    FIRST,
    SECOND,
    SESSIONS,
    THIRD,
    Control,
    Engine,
    Params,
    content_of,
    found,
    listing,
    options_of,
    projects_of,
    put,
    stored,
    verdicts,
)


@pytest.fixture
def control() -> Iterator[Control]:
    """Return a running server."""
    with listing() as server:
        yield server


@pytest.fixture
def asked(params: Params) -> Params:
    """Return the options of the module for the declared deployment."""
    return options_of(params)


def test_of_copies_in_several_projects_the_own_one_counts(
    asked: Params, run_module: Any
) -> None:
    put(asked, FIRST, b"", "a")
    put(asked, FIRST)
    for project in ("a", "b"):
        put(asked, SECOND, project=project)

    result = found(run_module, asked)
    del asked["services"]["agent"]["working_directory"]
    unknown = found(run_module, asked)

    assert verdicts(result) == {FIRST: "sound", SECOND: "unusable"}
    assert {one["copies"] for one in result["sessions"]} == {2}
    assert verdicts(unknown)[SECOND] == "sound"


def test_what_the_container_s_user_cannot_use_does_not_resume(
    asked: Params, run_module: Any
) -> None:
    """A copy made by root: the CLI finds no conversation, or loses every new turn."""
    for number, mode in enumerate((0o600, 0o644)):
        file = put(asked, SESSIONS[number])
        os.chown(file, 0, 0)
        file.chmod(mode)
    put(asked, THIRD, project="closed").parent.chmod(0)

    result = found(run_module, asked)

    assert verdicts(result) == {
        FIRST: "unusable",
        SECOND: "damaged",
        THIRD: "unusable",
    }
    reasons = {one["session_id"]: one["why"] for one in result["sessions"]}
    assert "cannot read it" in reasons[FIRST]
    assert "every new turn would be lost" in reasons[SECOND]


@pytest.mark.parametrize("kind", ["file link", "project link", "pipe", "directory"])
def test_what_an_agent_planted_is_neither_followed_nor_waited_for(
    asked: Params, run_module: Any, tmp_path: Path, kind: str
) -> None:
    put(asked, FIRST)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / f"{SECOND}.jsonl").write_bytes(content_of(SECOND))
    planted = projects_of(asked) / "-data-memory" / f"{SECOND}.jsonl"
    if kind == "file link":
        planted.symlink_to(secret / planted.name)
    elif kind == "project link":
        (projects_of(asked) / "planted").symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(planted)
    else:
        planted.mkdir()

    result = found(run_module, asked)

    assert verdicts(result)[FIRST] == "sound"
    assert verdicts(result).get(SECOND, "unusable") == "unusable"


def test_an_agent_whose_directory_is_a_link_hides_no_other(
    asked: Params, run_module: Any, control: Control, tmp_path: Path
) -> None:
    put(asked, FIRST, agent="mail")
    memory = projects_of(asked).parents[1]
    (memory / ".claude" / "projects").rmdir()
    (memory / ".claude").rmdir()
    (memory / ".claude").symlink_to(tmp_path)
    control.rows = [stored(SECOND), stored(THIRD, "mail")]

    result = found(run_module, {**asked, "url": control.url})

    assert verdicts(result) == {FIRST: "sound", SECOND: "unknown", THIRD: "missing"}
    assert [one["session_id"] for one in result["lost"]] == [THIRD]
    (error,) = [one["error"] for one in result["places"] if one["error"]]
    assert "links are never followed" in error
    assert error in result["warnings"]


def test_what_is_left_out_is_told_and_not_called_missing(
    asked: Params, run_module: Any, control: Control
) -> None:
    control.rows = [stored(one) for one in SESSIONS]
    for number, session in enumerate(SESSIONS):
        os.utime(put(asked, session), (1000, 1000 + number))

    result = found(run_module, {**asked, "url": control.url, "most_transcripts": 2})

    assert result["counts"] == {"sound": 2, "unknown": 7}
    assert verdicts(result)[SESSIONS[-1]] == "sound"
    assert "7 transcripts" in result["warnings"][0]
    assert result["without_transcript"] == result["lost"] == []


def test_a_volume_is_read_where_the_engine_has_it(
    asked: Params, run_module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked["inventory"][0] = {
        **{key: asked["inventory"][0][key] for key in ("name", "scope", "owner")},
        "mode": "0750",
        "volume": "memory",
        "mounts": asked["inventory"][0]["mounts"],
        "kind": "workspace",
        "backup": "files",
    }
    asked["inventory"] = asked["inventory"][:1]
    asked["agents"] = asked["agents"][:1]
    mountpoint = tmp_path / "volume"
    directory = mountpoint / ".claude" / "projects" / "-data-memory"
    directory.mkdir(parents=True)
    for path in (mountpoint, *mountpoint.rglob("*")):
        os.chown(path, 20101, 20101)
    file = directory / f"{FIRST}.jsonl"
    file.write_bytes(content_of(FIRST))
    os.chown(file, 20101, 20101)
    volumes = {"agentkeep-demo-main-memory": {"Mountpoint": str(mountpoint)}}
    monkeypatch.setattr(session_info, "connect", lambda _socket: Engine(volumes))

    result = found(run_module, asked)
    volumes.clear()
    gone = found(run_module, asked)

    assert verdicts(result) == {FIRST: "sound"}
    assert result["places"][0]["volume"] == "agentkeep-demo-main-memory"
    assert gone["sessions"] == []


def test_a_place_that_takes_too_long_is_left_at_its_bound(
    asked: Params, run_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(asked, FIRST)
    clock = iter(range(0, 10_000, 500))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))

    result = found(run_module, asked)

    assert [one["left_out"] for one in result["places"]] == [0, 1]


def test_a_tree_full_of_files_does_not_leave_descriptors_open(
    asked: Params, run_module: Any
) -> None:
    for number in range(50):
        put(asked, SESSIONS[number % 9], project=f"p{number}")
    before = len(os.listdir("/proc/self/fd"))

    found(run_module, asked)

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_transcript_that_is_removed_during_the_look_hides_no_other(
    tmp_path: Path,
) -> None:
    """G21: the others are not called missing."""
    directory = tmp_path / "-data-memory"
    directory.mkdir()
    names = {str(uuid.UUID(int=number)) for number in range(50)}
    for name in names:
        (directory / f"{name}.jsonl").touch()
    projects = os.open(tmp_path, os.O_RDONLY)
    try:
        listing = read._Listing(projects, "-data-memory").names()
        seen = {next(listing).session}
        for name in sorted(names - seen)[::2]:
            (directory / f"{name}.jsonl").unlink()
        seen |= {one.session for one in listing}
    finally:
        os.close(projects)

    left = {file.name[: -len(".jsonl")] for file in directory.iterdir()}
    assert left <= seen


def test_no_number_of_projects_hides_the_own_one_or_passes_for_all(
    asked: Params, control: Control, run_module: Any
) -> None:
    """G21: what was not looked at is not called missing."""
    put(asked, FIRST)
    for number in range(read.MOST_PROJECTS):
        (projects_of(asked) / f"a{number}").mkdir()
    control.rows = [stored(FIRST), stored(SECOND)]

    result = found(run_module, {**asked, "url": control.url})

    assert verdicts(result) == {FIRST: "sound", SECOND: "unknown"}
    assert any("Cannot look at all of" in warning for warning in result["warnings"])


def test_names_of_an_agent_that_are_no_text_do_not_cost_the_answer(
    asked: Params, run_module: Any
) -> None:
    """Ansible takes no result with a byte that is not UTF-8, a terminal no escape."""
    projects = projects_of(asked)
    file = put(asked, FIRST, project=os.fsdecode(b"bad\xff"))
    mail = projects_of(asked, "mail")
    mail.rmdir()
    mail.symlink_to(os.fsdecode(b"/else\xff\x1b[2Jwhere"))

    result = found(run_module, asked)

    json.dumps(result, ensure_ascii=False).encode()
    assert [one["path"] for one in result["sessions"]] == [
        f"{projects}/bad\\udcff/{file.name}"
    ]
    assert "/else\\udcff" in result["warnings"][0]
