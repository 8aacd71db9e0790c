# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts: listed page by page, one row for each session; keys as the SDK's."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from agentd.spawner.frames import FrameKind, encode_json
from agentd.transcripts.find import Places
from agentd.transcripts.key import nearness, project_key
from agentd.transcripts.listing import MAX_PAGE, Listed, list_sessions


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A configuration without a project."""
    found = Places(tmp_path / ".claude", Path("/data/memory"))
    found.projects.mkdir(parents=True)
    return found


def put(places: Places, number: int, project: str = "-data-memory") -> Path:
    """Write a session's transcript into a project."""
    directory = places.projects / project
    directory.mkdir(exist_ok=True)
    file = directory / f"{session(number)}.jsonl"
    file.write_bytes(b"x" * number)
    return file


def session(number: int) -> str:
    """Return the id of the session of that number."""
    return str(uuid.UUID(int=number))


def every(places: Places, limit: int) -> list[Listed]:
    """Return what all pages list."""
    rows: list[Listed] = []
    after: str | None = None
    while True:
        page, after = list_sessions(places, after, limit)
        rows += page
        if after is None:
            return rows


@pytest.mark.parametrize("limit", [1, 2, 3, 49, 50, 51])
def test_all_pages_together_list_each_session_once(places: Places, limit: int) -> None:
    for number in range(1, 51):
        put(places, number, f"p{number % 7}")

    rows = every(places, limit)

    assert [row.session_id for row in rows] == [session(one) for one in range(1, 51)]
    assert [row.bytes for row in rows] == list(range(1, 51))


def test_of_several_copies_the_own_project_s_is_listed(places: Places) -> None:
    for project in ("a", "-data-memory", "z"):
        put(places, 1, project)

    rows = every(places, 10)

    assert [(row.project, row.copies) for row in rows] == [("-data-memory", 3)]


def test_only_files_with_a_session_s_name_are_listed(
    places: Places, tmp_path: Path
) -> None:
    file = put(places, 1)
    for name in (
        "notes.jsonl",
        f"{session(2)}.18f.damaged",
        f".{session(3)}.1.repairing",
    ):
        file.with_name(name).write_bytes(b"x")
    file.with_name(f"{session(4)}.jsonl").symlink_to(file)
    os.mkfifo(file.with_name(f"{session(5)}.jsonl"))
    file.with_name(f"{session(6)}.jsonl").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / f"{session(7)}.jsonl").write_bytes(b"x")
    (places.projects / "link").symlink_to(tmp_path / "elsewhere")
    (places.projects / f"{session(8)}.jsonl").write_bytes(b"x")

    assert [row.session_id for row in every(places, 10)] == [session(1)]


def test_a_missing_configuration_lists_nothing(tmp_path: Path) -> None:
    assert every(Places(tmp_path / "none", tmp_path), 10) == []


def test_a_full_page_of_hostile_names_fits_into_a_frame(places: Places) -> None:
    for number in range(1, MAX_PAGE + 1):
        put(places, number, f"{number:03}" + '"\\\udcff\n' * 63)

    rows, _next = list_sessions(places, None, MAX_PAGE)
    answer = {"sessions": [row.for_output() for row in rows], "next": None}

    assert len(rows) == MAX_PAGE
    assert encode_json(FrameKind.ANSWER, {"id": 1, "result": answer})


LONG = "/data/" + "d" * 250


@pytest.mark.parametrize(
    ("directory", "key"),
    [
        ("/data/memory", "-data-memory"),
        ("/w/a_b.c d", "-w-a-b-c-d"),
        ("/data/" + "d" * 194, "-data-" + "d" * 194),
        (LONG, "-data-" + "d" * 194 + "-"),
    ],
)
def test_the_key_of_a_project_is_the_cli_s(directory: str, key: str) -> None:
    # G13; equality with the SDK's own function is a contract test.
    found = project_key(directory)

    assert found.startswith(key)
    assert (found == key) is (len(key) <= 200)


def test_a_link_to_a_directory_has_the_key_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert project_key(tmp_path / "link") == project_key(tmp_path / "real")


def test_a_long_key_with_another_hash_is_nearer_than_other_projects() -> None:
    own = project_key(LONG)

    assert nearness(own, own) == 0
    assert nearness(own[:201] + "other", own) == 1
    assert nearness("-data-memory", own) == 2
    assert nearness("-data-memory-x", "-data-memory") == 2
