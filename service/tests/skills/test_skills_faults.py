# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Real faults: a full file system, and read-only mounts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .world import World, content, read, remove, write

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for mounts")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mount something, and unmount it at the end."""
    mounted: list[Path] = []

    def mount_it(place: Path, *arguments: str) -> None:
        subprocess.run(["mount", *arguments, str(place)], check=True)
        mounted.append(place)

    yield mount_it
    for place in reversed(mounted):
        subprocess.run(["umount", str(place)], check=True)


def full(world: World, mount: Callable[..., None]) -> None:
    """Let the agent's volume be a file system with no room left."""
    memory = world.root / "memory"
    mount(memory, "-t", "tmpfs", "-o", "size=256k,mode=0755", "tmpfs")
    world.copies.mkdir(parents=True)
    world.user.mkdir()
    write(world.org, "managed", "first")
    world.sync()
    write(world.copies, "managed", "edited")
    write(world.copies, "new", "n" * 20_000)
    write(world.org, "managed", "second")
    with (memory / "filling").open("wb") as file, pytest.raises(OSError, match="28"):
        while True:
            os.write(file.fileno(), b"x" * 4096)


@pytest.mark.root
@needs_root
def test_a_full_file_system_stops_the_clear_and_nothing_is_lost(
    world: World, mount: Callable[..., None]
) -> None:
    """F02."""
    full(world, mount)

    report = world.sync()

    assert world.steps == ["skills_persist", "skills_sync"]
    assert read(world.copies, "managed") == "edited"
    assert read(world.copies, "new") == "n" * 20_000
    warnings = " ".join(report.warnings)
    assert 'Cannot save the skill "new": No space left on device' in warnings
    assert "Nothing was cleared" in warnings
    assert not (world.user / "new").exists()

    (world.root / "memory" / "filling").unlink()
    world.sync()

    assert read(world.copies, "managed") == "second"
    assert read(world.user, "new") == "n" * 20_000


@pytest.mark.root
@needs_root
def test_a_removed_managed_skill_does_not_come_back_after_a_full_file_system(
    world: World, mount: Callable[..., None]
) -> None:
    """F02, F08."""
    full(world, mount)
    remove(world.org, "managed")

    world.sync()
    (world.root / "memory" / "filling").unlink()
    world.sync()

    assert sorted(os.listdir(world.copies)) == ["new"]
    assert sorted(content(world.user)) == ["new/SKILL.md"]


@pytest.mark.root
@needs_root
def test_a_read_only_volume_changes_nothing_and_is_reported(
    world: World, mount: Callable[..., None]
) -> None:
    """F02."""
    write(world.org, "x", "first")
    world.sync()
    write(world.org, "x", "second")
    memory = world.root / "memory"
    mount(memory, "--bind", str(memory))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(memory)], check=True)

    report = world.sync()

    assert content(world.copies) == {"x/SKILL.md": "first"}
    assert any("Read-only file system" in warning for warning in report.warnings)


@pytest.mark.root
@needs_root
def test_an_unchanged_sync_needs_no_writing_at_all(
    world: World, mount: Callable[..., None]
) -> None:
    """F19."""
    write(world.org, "x", "first")
    world.sync()
    memory = world.root / "memory"
    mount(memory, "--bind", str(memory))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(memory)], check=True)

    report = world.sync()

    assert report.warnings == () and report.effective == ["x"]


@pytest.mark.root
@needs_root
def test_the_destination_may_be_a_mount_of_its_own(
    world: World, mount: Callable[..., None]
) -> None:
    mount(world.copies, "-t", "tmpfs", "tmpfs")
    write(world.org, "x", "org")
    write(world.copies, "new", "runtime")

    world.sync()

    assert read(world.copies, "x") == "org"
    assert read(world.user, "new") == "runtime"
