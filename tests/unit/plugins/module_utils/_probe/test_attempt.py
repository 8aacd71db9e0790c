# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Attempts to write leave nothing, whatever happens."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._probe import (
    attempt,
    notes,
)

NAME = ".agentkeep-probe-test"
WRITING = attempt.Writing(NAME, b"x" * 100)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[int]:
    """Return the test's directory, held open."""
    descriptor = os.open(tmp_path, attempt.HOLD_DIRECTORY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("size", [0, 1, 100, 250])
def test_a_file_of_any_size_comes_and_goes(
    tmp_path: Path, held: int, size: int
) -> None:
    assert WRITING.file(held, size, durable=True) is None
    assert WRITING.directory(held) is None
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_way_is_refused_and_never_followed(
    tmp_path: Path, held: int
) -> None:
    target = tmp_path / "target"
    (tmp_path / f"{NAME}.new").symlink_to(target)

    assert WRITING.file(held, 1, durable=False) == notes.Refusal("create", errno.EEXIST)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_the_way_is_refused(tmp_path: Path, held: int) -> None:
    (tmp_path / NAME).mkdir()

    assert WRITING.directory(held) == notes.Refusal("mkdir", errno.EEXIST)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_attempt_left_is_swept(tmp_path: Path, held: int) -> None:
    (tmp_path / f"{NAME}.new").write_text("half")
    (tmp_path / NAME).mkdir()
    (tmp_path / "kept").write_text("whole")
    sweeping = attempt.Sweeping(NAME, b"")

    assert sweeping.file(held, 10, durable=True) is None
    assert sweeping.directory(held) is None
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_what_is_held_is_opened_whatever_its_name_leads_to(
    tmp_path: Path, held: int
) -> None:
    (tmp_path / "file").write_text("first")
    own = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    file = os.open("file", attempt.HOLD, dir_fd=held)
    (tmp_path / "file").unlink()
    (tmp_path / "file").symlink_to("/etc/passwd")

    opened = attempt.reopened(file, os.O_RDONLY, own)

    assert os.read(opened, 10) == b"first"
    for one in (opened, file, own):
        os.close(one)
