# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What was removed does not come back; what was lost does."""

from __future__ import annotations

import shutil

import pytest

from .world import World, content, read, remove, write


@pytest.mark.parametrize("tier", ["org", "built_in", "uploaded"])
@pytest.mark.parametrize("edited", [False, True])
def test_a_removed_managed_skill_does_not_come_back(
    world: World, tier: str, edited: bool
) -> None:
    """F08."""
    write(getattr(world, tier), "x", "theirs")
    world.sync()
    if edited:
        write(world.copies, "x", "edited")
    remove(getattr(world, tier), "x")

    report = world.sync()
    world.sync()

    assert report.removed == ["x"]
    assert content(world.copies) == {} and content(world.user) == {}


def test_a_removed_managed_skill_gives_its_place_to_the_user_skill(
    world: World,
) -> None:
    """F08, F03."""
    write(world.org, "x", "org")
    write(world.user, "x", "mine")
    world.sync()
    remove(world.org, "x")

    world.sync()

    assert read(world.copies, "x") == "mine"


def test_a_removed_user_skill_stays_removed(world: World) -> None:
    """F09."""
    write(world.user, "x", "mine")
    world.sync()
    remove(world.user, "x")

    report = world.sync()
    world.sync()
    world.sync()

    assert report.removed == ["x"]
    assert content(world.copies) == {} and content(world.user) == {}


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_lost_user_directory_is_no_removal_of_every_skill_in_it(
    world: World, made_anew: bool
) -> None:
    """F09: the boot makes an empty one before the sync."""
    write(world.user, "x", "mine")
    world.sync()
    shutil.rmtree(world.user)
    if made_anew:
        world.user.mkdir()

    report = world.sync()
    again = world.sync()

    assert report.persisted == ["x"] and not again.changed
    assert any("brought back" in warning for warning in report.warnings)
    assert read(world.user, "x") == "mine" == read(world.copies, "x")


def test_every_user_skill_may_be_removed_at_once(world: World) -> None:
    """F09."""
    for name in ("x", "y"):
        write(world.user, name, "mine")
    world.sync()
    for name in ("x", "y"):
        remove(world.user, name)

    report = world.sync()

    assert report.removed == ["x", "y"]
    assert content(world.user) == {} == content(world.copies)


@pytest.mark.parametrize("tier", ["org", "built_in", "user"])
def test_a_copy_that_was_deleted_comes_back_while_its_source_is_there(
    world: World, tier: str
) -> None:
    """F10."""
    write(getattr(world, tier), "x", "x")
    world.sync()
    remove(world.copies, "x")

    world.sync()

    assert read(world.copies, "x") == "x"
