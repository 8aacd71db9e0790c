# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Any manifest, and anything in the sync's own places, is taken."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from .world import World, content, read, write

HOSTILE = [
    b"",
    b"\0",
    b"[]",
    b"{",
    b"[" * 100_000,
    b'{"version": 1}',
    b'{"version": 1, "skills": {"../x": {"seen": {}}}}',
    b'{"version": 1, "skills": {"x": {"seen": {"copy": [1, 2]}}}}',
    b'{"version": 1, "skills": {"x": {"put": ["root", 1], "seen": {}}}}',
    b'{"version": 1, "skills": {"x": {"put": {}, "pending": 1, "seen": {}}}}',
    b'{"version": 9e999, "skills": {}}',
]


@pytest.mark.parametrize("damage", HOSTILE, ids=range(len(HOSTILE)))
def test_any_manifest_is_taken_and_nothing_is_lost(world: World, damage: bytes) -> None:
    write(world.org, "x", "org")
    write(world.user, "mine", "mine")
    write(world.copies, "new", "new")
    world.sync()
    write(world.copies, "mine", "edited")
    world.state.write_bytes(damage)

    report = world.sync()
    again = world.sync()

    assert sorted(report.effective) == ["mine", "new", "x"]
    assert any("manifest" in warning for warning in report.warnings)
    assert list(world.kept().values()) == ["edited"]
    assert not again.changed and again.warnings == ()


@pytest.mark.parametrize("kind", ["directory", "fifo", "link", "huge"])
def test_a_manifest_that_is_no_file_is_replaced(
    world: World, secret: Path, kind: str
) -> None:
    world.state.parent.mkdir()
    if kind == "directory":
        (world.state / "x").mkdir(parents=True)
    elif kind == "fifo":
        os.mkfifo(world.state)
    elif kind == "link":
        world.state.symlink_to(secret)
    else:
        with world.state.open("wb") as file:
            file.truncate(1 << 40)
    write(world.org, "x", "org")

    world.sync()
    again = world.sync()

    assert read(world.copies, "x") == "org"
    assert not again.changed and again.warnings == ()
    assert secret.read_text() == "secret"


@pytest.mark.parametrize("kind", ["file", "fifo", "link"])
def test_a_state_directory_that_is_none_is_set_aside(
    world: World, secret: Path, kind: str
) -> None:
    place = world.state.parent
    if kind == "file":
        place.touch()
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.symlink_to(secret.parent)
    write(world.org, "x", "org")

    world.sync()
    again = world.sync()

    assert read(world.copies, "x") == "org"
    assert not again.changed and again.warnings == ()


@pytest.mark.parametrize("kind", ["file", "link", "full"])
def test_whatever_lies_in_the_staging_directory_is_no_hindrance(
    world: World, secret: Path, kind: str
) -> None:
    staging = world.copies / ".agentkeep-staging"
    if kind == "file":
        staging.touch()
    elif kind == "link":
        staging.symlink_to(secret.parent)
    else:
        for name in ("new.x", "dead.1", "whatever", "swap.", ".", "gone.../x"):
            write(staging, name, "junk")
        (staging / "swap.link").symlink_to(secret)
        write(staging, "swap.y", "the only version")
    write(world.org, "x", "org")

    world.sync()
    again = world.sync()

    assert os.listdir(world.copies) == ["x"]
    assert secret.exists() and not again.changed
    if kind == "full":
        assert "the only version" in world.kept().values()


def test_a_random_manifest_is_taken(world: World) -> None:
    write(world.org, "x", "org")
    write(world.user, "mine", "mine")
    world.sync()
    good = world.state.read_bytes()
    generator = random.Random(4)
    for _unused in range(60):
        damaged = bytearray(good)
        for _unused in range(generator.randint(1, 20)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        world.state.write_bytes(damaged)

        world.sync()

        assert content(world.copies) == {
            "mine/SKILL.md": "mine",
            "x/SKILL.md": "org",
        }
        assert read(world.user, "mine") == "mine"
