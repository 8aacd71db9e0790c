# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts: a damaged one is replaced by a sound one and kept beside it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from claude_agent_sdk import get_session_messages
from damaged_transcripts import (
    DAMAGES,
    SESSION,
    WORDS,
    Damage,
    place_of,
    transcript,
)

from agentd.transcripts import lines as lines_module
from agentd.transcripts.find import Places
from agentd.transcripts.repair import Repair, RepairRefused, repair
from agentd.transcripts.scan import scan_session


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A configuration with the project of /data/memory."""
    found = Places(tmp_path / ".claude", Path("/data/memory"))
    (found.projects / found.own_project).mkdir(parents=True)
    return found


def put(places: Places, content: bytes) -> Path:
    """Write the session's transcript."""
    file = places.projects / "-data-memory" / f"{SESSION}.jsonl"
    file.write_bytes(content)
    return file


def at_once(deed: Callable[[], None]) -> None:
    """Carry out the last step of a repair: nothing runs here."""
    deed()


def repaired(places: Places) -> Repair:
    """Repair the session's transcript."""
    return repair(places, SESSION, at_once)


def words(file: Path) -> tuple[str, ...]:
    """Return the words that the user's lines of a transcript have."""
    said = [
        value["message"]["content"]
        for value in map(json.loads, file.read_bytes().splitlines())
        if value.get("type") == "user"
    ]
    return tuple(word for word in WORDS if any(word in text for text in said))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_after_a_repair_the_transcript_is_sound_and_has_all_that_was_left(
    places: Places, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = damage.deed(transcript())
    file = put(places, content)

    result = repaired(places)

    assert result.repaired is (damage.words is not None)
    assert {fault.kind for fault in result.faults} == damage.kinds
    if damage.words is None:
        assert (result.verdict, result.kept) == (damage.verdict, None)
        assert file.read_bytes() == content
        assert os.listdir(file.parent) == [file.name]
        return
    assert result.verdict == scan_session(places, SESSION).verdict == "sound"
    assert words(file) == damage.words
    assert result.kept is not None and Path(result.kept).read_bytes() == content
    # The SDK's own reader follows the chain from the end to the beginning.
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(places.config_directory))
    read = [str(one.message) for one in get_session_messages(SESSION)]
    assert all(any(word in text for text in read) for word in damage.words)


def test_a_repair_keeps_mode_and_age_and_is_done_once(places: Places) -> None:
    file = put(places, b"".join(transcript())[:-1])
    file.chmod(0o640)
    os.utime(file, ns=(1_000_000_000, 2_000_000_000))

    first, second = repaired(places), repaired(places)

    assert first.repaired and not second.repaired
    assert second.verdict == "sound"
    assert first.kept is not None
    for path in (file, Path(first.kept)):
        found = path.stat()
        assert (found.st_mode & 0o777, found.st_mtime_ns) == (0o640, 2_000_000_000)


def test_what_is_kept_has_no_name_that_the_cli_takes_for_a_session(
    places: Places,
) -> None:
    put(places, b"".join(transcript())[:-1])

    kept = repaired(places).kept

    assert kept is not None
    assert not kept.endswith(".jsonl")
    assert Path(kept).parent == places.projects / "-data-memory"


def test_a_file_that_is_written_to_meanwhile_is_left_alone(places: Places) -> None:
    file = put(places, b"".join(transcript())[:-1])

    def late(deed: Callable[[], None]) -> None:
        with file.open("ab") as more:
            more.write(b"\n")
        deed()

    with pytest.raises(RepairRefused, match="wrote to it meanwhile"):
        repair(places, SESSION, late)

    assert file.read_bytes() == b"".join(transcript())
    assert os.listdir(file.parent) == [file.name]


def test_a_link_put_in_its_place_meanwhile_is_not_followed(
    places: Places, tmp_path: Path
) -> None:
    file = put(places, b"".join(transcript())[:-1])
    secret = tmp_path / "secret"
    secret.write_bytes(b"".join(transcript())[:-1])

    def late(deed: Callable[[], None]) -> None:
        file.unlink()
        file.symlink_to(secret)
        deed()

    with pytest.raises(RepairRefused):
        repair(places, SESSION, late)

    assert secret.read_bytes() == b"".join(transcript())[:-1]
    assert secret.stat().st_nlink == 1
    assert os.listdir(file.parent) == [file.name]


def test_a_repair_that_fails_at_its_last_step_leaves_all_as_it_was(
    places: Places,
) -> None:
    file = put(places, b"".join(transcript())[:-1])

    def failing(_deed: Callable[[], None]) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        repair(places, SESSION, failing)

    assert file.read_bytes() == b"".join(transcript())[:-1]
    assert os.listdir(file.parent) == [file.name]


def test_what_a_killed_repair_left_is_removed_by_the_next(places: Places) -> None:
    file = put(places, b"".join(transcript())[:-1])
    left = file.with_name(f".{SESSION}.1.repairing")
    left.write_bytes(b"half")

    result = repaired(places)

    assert result.repaired
    assert not left.exists()


def test_a_long_line_is_kept_byte_for_byte(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 2000)
    lines = transcript()
    place = place_of(lines)
    picture = lines[place].replace(b"Remember", b"p" * 5000 + b" Remember")
    file = put(places, b"".join([*lines[:place], picture, *lines[place + 1 :]])[:-1])

    assert repaired(places).repaired
    assert picture in file.read_bytes()
    assert words(file) == WORDS


def test_another_name_of_the_file_elsewhere_is_not_written_through(
    places: Places, tmp_path: Path
) -> None:
    file = put(places, b"".join(transcript())[:-1])
    other = tmp_path / "other"
    os.link(file, other)

    assert repaired(places).repaired
    assert other.read_bytes() == b"".join(transcript())[:-1]
