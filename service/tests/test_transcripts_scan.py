# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts: the verdict on whatever may be in the place of one."""

from __future__ import annotations

import os
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from damaged_transcripts import DAMAGES, SESSION, WORDS, Damage, transcript

from agentd.transcripts import lines as lines_module
from agentd.transcripts import scan as scan_module
from agentd.transcripts import verdict as verdict_module
from agentd.transcripts.find import Places
from agentd.transcripts.listing import list_sessions
from agentd.transcripts.scan import Scan, scan_session

MEBIBYTE = 1024 * 1024


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A configuration with the project of /data/memory."""
    found = Places(tmp_path / ".claude", Path("/data/memory"))
    (found.projects / found.own_project).mkdir(parents=True)
    return found


def put(places: Places, content: bytes, project: str = "-data-memory") -> Path:
    """Write the session's transcript into a project."""
    directory = places.projects / project
    directory.mkdir(exist_ok=True)
    file = directory / f"{SESSION}.jsonl"
    file.write_bytes(content)
    return file


def kinds(scan: Scan) -> set[str]:
    """Return what the scan found wrong."""
    return {fault.kind for fault in scan.faults}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_every_damage_has_its_verdict(places: Places, damage: Damage) -> None:
    content = damage.deed(transcript())
    file = put(places, content)

    scan = scan_session(places, SESSION)

    assert scan.verdict == damage.verdict
    assert kinds(scan) == damage.kinds
    assert scan.path == str(file)
    assert scan.bytes == len(content)
    assert file.read_bytes() == content


def test_a_fault_says_how_often_it_is_there_and_where_first(places: Places) -> None:
    lines = transcript()
    put(places, b"".join([*lines[:3], b"x\n", *lines[3:], b"y\n"]))

    scan = scan_session(places, SESSION)

    torn = scan.faults[0]
    assert (torn.kind, torn.count, torn.first_line) == ("torn", 2, 4)


def test_a_session_without_a_transcript_is_missing(places: Places) -> None:
    assert scan_session(places, SESSION) == Scan("missing")


def test_a_killed_first_turn_can_be_resumed(places: Places) -> None:
    # The CLI has written the user's message, and nothing of an answer.
    put(places, b"".join(transcript()[:2]))

    assert scan_session(places, SESSION).verdict == "sound"


def test_lines_of_an_older_session_beside_own_ones_are_not_foreign(
    places: Places,
) -> None:
    old = b"".join(transcript()[:4]).replace(SESSION.encode(), b"2" * 36)
    put(places, old + b"".join(transcript()[4:]))

    assert scan_session(places, SESSION).verdict == "sound"


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_file_is_unusable_and_never_followed(
    places: Places, tmp_path: Path, kind: str
) -> None:
    name = places.projects / "-data-memory" / f"{SESSION}.jsonl"
    if kind == "link":
        (tmp_path / "secret").write_bytes(b"".join(transcript()))
        name.symlink_to(tmp_path / "secret")
    elif kind == "pipe":
        os.mkfifo(name)
    else:
        name.mkdir()

    scan = scan_session(places, SESSION)

    assert (scan.verdict, kinds(scan)) == ("unusable", {"not_a_file"})


def test_two_copies_outside_the_own_project_are_unusable(places: Places) -> None:
    # Measured: the CLI then finds no conversation.
    for project in ("a", "b"):
        put(places, b"".join(transcript()), project)

    scan = scan_session(places, SESSION)

    assert (scan.verdict, kinds(scan)) == ("unusable", {"copies"})


def test_the_own_project_s_copy_counts_among_several(places: Places) -> None:
    # G09: the key of the working directory decides.
    put(places, b"", "a")
    put(places, b"".join(transcript()))

    scan = scan_session(places, SESSION)

    assert (scan.verdict, scan.copies) == ("sound", 2)


def test_of_several_copies_that_of_a_definition_is_taken(places: Places) -> None:
    """P14: it has a directory of its own to work in."""
    work = replace(places, definitions=Path("/data/memory/definitions"))
    put(places, b"", "a")
    put(places, b"".join(transcript()), "-data-memory-definitions-reviewer")

    assert scan_session(places, SESSION).verdict == "unusable"
    assert scan_session(work, SESSION).verdict == "sound"
    listed, _next = list_sessions(work, None, 10)
    assert listed[0].project == "-data-memory-definitions-reviewer"


def test_a_tree_full_of_copies_does_not_use_up_the_descriptors(
    places: Places,
) -> None:
    for number in range(100):
        put(places, b"".join(transcript()), f"p{number}")
    put(places, b"".join(transcript()))
    before = len(os.listdir("/proc/self/fd"))

    scan = scan_session(places, SESSION)

    assert scan.verdict == "sound"
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="makes a file that others cannot read")
def test_a_file_that_the_cli_s_user_cannot_read_or_append_to_is_told(
    short_path: Path,
) -> None:
    short_path.chmod(0o755)
    places = Places(short_path, Path("/data/memory"))
    places.projects.mkdir()
    file = put(places, b"".join(transcript()))

    def scanned(mode: int) -> Scan:
        file.chmod(mode)
        os.seteuid(65534)
        try:
            return scan_session(places, SESSION)
        finally:
            os.seteuid(0)

    assert kinds(scanned(0o600)) == {"unreadable"}
    assert scanned(0o600).verdict == "unusable"
    assert (scanned(0o644).verdict, kinds(scanned(0o644))) == (
        "damaged",
        {"not_writable"},
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * (100 * MEBIBYTE),
        b"x" * (100 * MEBIBYTE),
        (b'{"type":"user","a":[' + b"[]," * (3 * MEBIBYTE) + b"0]}\n") * 3,
        b'{"type":"user","a":' + b"[" * (5 * MEBIBYTE) + b"\n",
        (b'{"type":"user","a":"' + b'\\"' * (2 * MEBIBYTE) + b'"}\n') * 4,
        b'"' * (7 * MEBIBYTE) + b"\n",
        b'{"type":"user","n":' + b"9" * MEBIBYTE + b"}\n",
    ],
    ids=["NULs", "one line", "lists", "depth", "escapes", "quotes", "a number"],
)
def test_hostile_content_is_judged_in_bounded_memory_and_time(
    places: Places, content: bytes
) -> None:
    put(places, content)
    del content
    started = time.monotonic()
    tracemalloc.start()
    try:
        scan = scan_session(places, SESSION)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert scan.verdict in ("unusable", "foreign")
    assert most < 64 * MEBIBYTE
    # A bound, not a measure: each takes about a second.
    assert time.monotonic() - started < 30


def test_a_large_sound_transcript_is_read_in_bounded_memory(places: Places) -> None:
    lines = transcript()
    filler = lines[3].replace(b"I will", b"z" * 10_000)
    with put(places, b"").open("wb") as file:
        file.writelines(lines)
        for _number in range(10_000):
            file.write(filler)
    tracemalloc.start()
    try:
        scan = scan_session(places, SESSION)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert scan.verdict == "sound"
    assert scan.bytes > 100 * 1000 * 1000
    assert most < 16 * MEBIBYTE


def test_a_long_line_of_the_cli_s_is_no_fault(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 2000)
    lines = transcript()
    picture = lines[5].replace(b"Remember", b"p" * 5000)
    put(places, b"".join([*lines[:5], picture, *lines[6:]]))

    scan = scan_session(places, SESSION)

    assert scan.verdict == "sound"
    assert scan.lines == len(lines)


@pytest.mark.parametrize("limit", ["MAX_FILE_BYTES", "MAX_LINES"])
def test_a_file_beyond_the_limits_is_told(
    places: Places, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(scan_module, limit, 5)
    put(places, b"".join(transcript()))

    scan = scan_session(places, SESSION)

    assert (scan.verdict, kinds(scan)) == ("unusable", {"too_large"})


def test_a_chain_that_is_too_long_to_remember_is_not_judged(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict_module, "MAX_LINKS", 2)
    put(places, b"".join(transcript()))

    assert scan_session(places, SESSION).verdict == "sound"


def test_a_transcript_that_grows_while_it_is_read_is_read_as_far_as_it_went(
    places: Places,
) -> None:
    file = put(places, b"".join(transcript(words=WORDS * 100)))
    with file.open("ab") as more:
        more.write(b'{"half')
        more.flush()

        assert kinds(scan_session(places, SESSION)) == {"torn", "no_final_newline"}
