# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts: found without following links, proved line by line from the end."""

from __future__ import annotations

import json
import os
import tracemalloc
import uuid
from pathlib import Path

import pytest

from agentd.transcripts import find
from agentd.transcripts.find import transcript_state
from agentd.transcripts.key import project_key

SESSION = str(uuid.UUID(int=1))
WANTED = str(uuid.UUID(int=2))


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """The directory of all projects in an empty configuration."""
    path = tmp_path / ".claude" / "projects"
    path.mkdir(parents=True)
    return path


def line(identity: object = WANTED, **more: object) -> bytes:
    """Return a transcript's line."""
    return json.dumps({"type": "assistant", "uuid": identity, **more}).encode() + b"\n"


def write(projects: Path, content: bytes, project: str = "-data-memory") -> Path:
    """Write the session's transcript into a project."""
    directory = projects / project
    directory.mkdir(exist_ok=True)
    file = directory / f"{SESSION}.jsonl"
    file.write_bytes(content)
    return file


def state(projects: Path, identity: str | None = WANTED) -> find.TranscriptState:
    """Return what is on disk of the session."""
    return transcript_state(projects.parent, Path("/data/memory"), SESSION, identity)


def test_a_session_without_a_file_does_not_exist(projects: Path) -> None:
    assert state(projects) == find.TranscriptState(exists=False)


def test_a_missing_configuration_holds_no_session(tmp_path: Path) -> None:
    result = transcript_state(tmp_path / "none", Path("/data/memory"), SESSION, None)

    assert not result.exists


def test_the_turn_is_held_by_the_line_that_has_its_uuid(projects: Path) -> None:
    file = write(projects, line("other") + line() + line("later"))

    result = state(projects)

    assert result.exists and result.holds
    assert result.size == file.stat().st_size
    assert result.path == str(file)


@pytest.mark.parametrize(
    "content",
    [
        line("other"),
        line()[:-1],
        line()[:-20] + b"\n",
        line(None, text=f'"uuid":"{WANTED}"'),
        line(None, inner={"uuid": WANTED}),
        b"\0" * 4096 + line("other"),
        f'"uuid": "{WANTED}"\n'.encode(),
        b"\xff\xfe" + WANTED.encode() + b"\n",
        b"[" * 100_000 + WANTED.encode() + b"\n",
    ],
    ids=[
        "another turn",
        "no line end yet",
        "a line cut off",
        "quoted in a text",
        "deeper in the line",
        "a hole of zeroes",
        "no object",
        "no text",
        "nested without end",
    ],
)
def test_a_file_without_the_complete_line_does_not_hold_the_turn(
    projects: Path, content: bytes
) -> None:
    write(projects, content)

    result = state(projects)

    assert result.exists and not result.holds


def test_a_damaged_line_does_not_hide_the_others(projects: Path) -> None:
    write(projects, b"{broken\n" + b"\xff\n" + line() + b'{"half": ')

    assert state(projects).holds


@pytest.mark.parametrize("length", [1, 100, find.BLOCK_BYTES - 80, find.BLOCK_BYTES])
def test_a_line_is_found_across_the_blocks_that_are_read(
    projects: Path, length: int
) -> None:
    filler = line("other", text="x" * length)
    big = line(WANTED, text="y" * (3 * find.BLOCK_BYTES))
    write(projects, filler + big + filler * 3)

    assert state(projects).holds


def test_reading_from_the_end_is_bounded(
    projects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "MAX_TAIL_BYTES", 1000)
    write(projects, line() + line("other", text="x" * 2000))

    assert not state(projects).holds


def test_a_line_that_would_take_the_memory_to_parse_is_not_parsed(
    projects: Path,
) -> None:
    dense = b'{"uuid":"' + WANTED.encode() + b'","a":[' + b"[]," * 2_000_000 + b"0]}\n"
    write(projects, dense)

    tracemalloc.start()
    try:
        found = state(projects)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert not found.holds
    assert most < 64 * 1024 * 1024


def test_an_empty_file_is_no_session_that_can_be_resumed(projects: Path) -> None:
    write(projects, b"")

    assert not state(projects).exists


def test_a_planted_link_to_a_file_is_not_followed(
    projects: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(line())
    (projects / "p").mkdir()
    (projects / "p" / f"{SESSION}.jsonl").symlink_to(secret)

    assert not state(projects).exists


def test_a_planted_link_to_a_directory_is_not_followed(
    projects: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / f"{SESSION}.jsonl").write_bytes(line())
    (projects / "p").symlink_to(elsewhere)

    assert not state(projects).exists


def test_a_planted_link_in_the_place_of_all_projects_is_not_followed(
    tmp_path: Path,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_to = elsewhere / "p"
    write_to.mkdir(parents=True)
    (write_to / f"{SESSION}.jsonl").write_bytes(line())
    (tmp_path / "projects").symlink_to(elsewhere)

    result = transcript_state(tmp_path, Path("/data/memory"), SESSION, WANTED)

    assert not result.exists


def test_a_planted_pipe_does_not_stop_the_search(projects: Path) -> None:
    (projects / "p").mkdir()
    os.mkfifo(projects / "p" / f"{SESSION}.jsonl")
    write(projects, line())

    assert state(projects).holds


def test_the_working_directory_s_own_project_comes_first(projects: Path) -> None:
    write(projects, line("other"), project="-another")
    write(projects, line(), project="-data-memory")
    write(projects, line("other"), project="z")

    result = state(projects)

    assert result.holds
    assert result.copies == 3


@pytest.mark.parametrize(
    ("directory", "key"),
    [("/data/memory", "-data-memory"), ("/a_b.c d/Ü", "-a-b-c-d--")],
)
def test_a_project_is_named_as_the_cli_names_it(directory: str, key: str) -> None:
    assert project_key(Path(directory)) == key


def test_a_long_project_with_another_hash_comes_before_other_projects(
    projects: Path,
) -> None:
    """G09: not every release of the CLI computes the same hash."""
    directory = Path("/data/" + "d" * 250)
    near = project_key(directory)[:201] + "another"
    write(projects, line("other"), project="-another")
    write(projects, line(), project=near)

    found = transcript_state(projects.parent, directory, SESSION, WANTED)

    assert found.holds
    assert Path(found.path).parent.name == near


def test_a_transcript_with_lines_of_other_sessions_alone_is_foreign(
    projects: Path,
) -> None:
    """G09: to resume it would go on as somebody else."""
    write(projects, line(sessionId=str(uuid.UUID(int=9))) * 2)

    assert state(projects, None).foreign


@pytest.mark.parametrize(
    "content",
    [
        line(sessionId=SESSION.upper()),
        line(sessionId=str(uuid.UUID(int=9))) * 1000 + line(sessionId=SESSION),
        line(),
        b"no line of the CLI\n",
    ],
)
def test_a_transcript_that_names_its_session_or_none_is_not_foreign(
    projects: Path, content: bytes
) -> None:
    write(projects, content)

    result = state(projects, None)

    assert (result.exists, result.foreign) == (True, False)
