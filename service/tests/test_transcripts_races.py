# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts under attack while they are read, and repairs that are killed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from damaged_transcripts import SESSION, WORDS, transcript

from agentd.transcripts.find import Places
from agentd.transcripts.listing import list_sessions
from agentd.transcripts.repair import RepairRefused, repair
from agentd.transcripts.scan import scan_session

KILLS = 20
RACE_SECONDS = 1.0
SECRET = b"nobody may copy this\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A configuration with the project of /data/memory."""
    found = Places(tmp_path / ".claude", Path("/data/memory"))
    (found.projects / found.own_project).mkdir(parents=True)
    return found


def file_of(places: Places) -> Path:
    """Return where the session's transcript is."""
    return places.projects / "-data-memory" / f"{SESSION}.jsonl"


def test_a_repair_killed_at_any_moment_leaves_one_transcript_that_resumes(
    places: Places,
) -> None:
    damaged = b"".join(transcript(words=WORDS * 700)) + b"torn"
    file = file_of(places)
    seed = random.randrange(2**32)
    chosen = random.Random(seed)
    for _kill in range(KILLS):
        file.write_bytes(damaged)
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                repair(places, SESSION, lambda deed: deed())
            os._exit(0)
        time.sleep(chosen.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

        found = scan_session(places, SESSION)
        rows, _next = list_sessions(places, None, 10)
        assert found.verdict in ("damaged", "sound"), seed
        assert [row.session_id for row in rows] == [SESSION]
        if found.verdict == "sound":
            kept = [one for one in file.parent.iterdir() if ".damaged" in one.name]
            assert any(one.read_bytes() == damaged for one in kept), seed
    file.write_bytes(damaged)
    assert repair(places, SESSION, lambda deed: deed()).repaired
    assert [one for one in file.parent.iterdir() if "repairing" in one.name] == []


@contextmanager
def swapping(*deeds: Callable[[], object]) -> Iterator[None]:
    """Do these deeds over and over beside the test."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            for deed in deeds:
                with suppress(OSError):
                    deed()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def planting(file: Path, secret: Path) -> list[Callable[[], object]]:
    """Return what a hostile agent does over and over to one transcript."""
    project, aside = file.parent, file.parent.with_name("aside")
    damaged = b"".join(transcript()) + b"torn"

    def plant_link() -> None:
        file.unlink(missing_ok=True)
        file.symlink_to(secret)

    def plant_pipe() -> None:
        file.unlink(missing_ok=True)
        os.mkfifo(file)

    def plant_file() -> None:
        file.unlink(missing_ok=True)
        file.write_bytes(damaged)

    def swap_project() -> None:
        project.rename(aside)
        project.symlink_to(secret.parent)
        project.unlink()
        aside.rename(project)

    return [plant_link, plant_pipe, plant_file, swap_project]


def test_what_is_swapped_while_it_is_looked_at_is_never_followed(
    places: Places, tmp_path: Path
) -> None:
    file = file_of(places)
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / file.name
    secret.write_bytes(SECRET + b"".join(transcript()))
    before = secret.stat()
    end = time.monotonic() + RACE_SECONDS
    with swapping(*planting(file, secret)):
        while time.monotonic() < end:
            scan = scan_session(places, SESSION)
            assert scan.bytes < before.st_size
            list_sessions(places, None, 10)
            with suppress(RepairRefused, OSError):
                repair(places, SESSION, lambda deed: deed())

    after = secret.stat()
    assert (after.st_nlink, after.st_mtime_ns) == (1, before.st_mtime_ns)
    assert [one.name for one in secret.parent.iterdir()] == [secret.name]
    for one in places.projects.rglob("*"):
        if one.is_file() and not one.is_symlink():
            assert SECRET not in one.read_bytes()


def test_a_file_that_shrinks_while_it_is_looked_at_is_judged_all_the_same(
    places: Places,
) -> None:
    file = file_of(places)
    long, short = b"".join(transcript(words=WORDS * 200)), b"".join(transcript())
    file.write_bytes(long)

    def rewrite() -> None:
        with file.open("r+b") as opened:
            opened.write(long)
            opened.truncate(len(short))

    end = time.monotonic() + RACE_SECONDS
    with swapping(rewrite):
        while time.monotonic() < end:
            assert scan_session(places, SESSION).verdict in ("sound", "damaged")
            with suppress(RepairRefused, OSError):
                repair(places, SESSION, lambda deed: deed())
