# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What is over a limit is left and named."""

from __future__ import annotations

import os

import pytest

from agentd.skills.values import Limits

from .world import World, content, read, write

PLACES = ("org", "built_in", "uploaded", "user", "copies")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(entries=3), "more than 3 files"),
        (Limits(bytes=30), "more than 30 bytes"),
        (Limits(depth=2), "deeper than 2 directories"),
    ],
)
@pytest.mark.parametrize("place", PLACES)
def test_a_skill_over_a_limit_is_left_and_the_limit_named(
    world: World, place: str, limits: Limits, words: str
) -> None:
    for number in range(4):
        write(getattr(world, place), "big", "0123456789", f"a/b/c{number}/file")
    write(world.org, "good", "good")
    world.limits = limits

    report = world.sync()
    again = world.sync()

    assert read(world.copies, "good") == "good"
    assert any(words in warning and "big" in warning for warning in report.warnings)
    assert (getattr(world, place) / "big" / "a").exists()
    assert (world.copies / "big").exists() == (place == "copies")
    assert not again.changed


def test_a_managed_copy_that_grew_over_a_limit_is_restored(world: World) -> None:
    """F05."""
    write(world.org, "x", "org")
    world.sync()
    world.limits = Limits(depth=3)
    deep = world.copies / "x"
    for _unused in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    deep.chmod(0)

    world.sync()

    assert content(world.copies) == {"x/SKILL.md": "org"}
    assert os.listdir(world.copies) == ["x"]


def test_a_user_skill_that_grew_over_a_limit_keeps_its_copy(world: World) -> None:
    write(world.user, "x", "mine")
    world.sync()
    world.limits = Limits(bytes=100)
    write(world.user, "x", "0" * 1000, "data")

    report = world.sync()

    assert read(world.copies, "x") == "mine"
    assert report.removed == [] and report.effective == ["x"]


def test_more_skills_than_the_limit_are_named_and_none_is_removed(
    world: World,
) -> None:
    for number in range(5):
        write(world.user, f"s{number}", "s")
    world.sync()
    world.limits = Limits(skills=3)

    report = world.sync()

    assert len(os.listdir(world.copies)) == 5
    assert any("more than 3 skills" in warning for warning in report.warnings)


def test_what_all_sources_may_have_together_fits_in_the_destination(
    world: World,
) -> None:
    """F19."""
    for tier in ("org", "built_in", "user"):
        for number in range(3):
            write(getattr(world, tier), f"{tier}-{number}", tier)
    world.limits = Limits(skills=3, all_entries=6, all_bytes=30)

    world.sync()
    again = world.sync()

    assert len(again.effective) == 9 and again.warnings == ()
    assert not again.changed


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(all_entries=3), "more than 3 files together"),
        (Limits(all_bytes=10), "more than 10 bytes together"),
    ],
)
def test_skills_over_a_common_limit_are_named(
    world: World, limits: Limits, words: str
) -> None:
    for number in range(4):
        write(world.user, f"s{number}", "0123456789")
    world.limits = limits

    report = world.sync()

    assert report.effective == ["s0", "s1"]
    assert words in " ".join(report.warnings)


def test_an_unsaved_edit_over_a_limit_stays_when_the_organisation_takes_the_name(
    world: World,
) -> None:
    """F06: it could not be saved, so nothing takes its place."""
    write(world.user, "x", "first")
    world.sync()
    world.limits = Limits(bytes=100)
    for place in (world.user, world.copies):
        write(place, "x", "0" * 1000, "data")
    write(world.org, "x", "org")

    report = world.sync()

    assert read(world.copies, "x", "data") == "0" * 1000
    assert 'Cannot save the skill "x"' in " ".join(report.warnings)


def test_a_directory_with_too_many_names_is_not_taken_for_an_empty_one(
    world: World,
) -> None:
    write(world.org, "x", "org")
    world.sync()
    world.limits = Limits(listed=10)
    for number in range(20):
        (world.org / f"f{number}").touch()

    report = world.sync()

    assert read(world.copies, "x") == "org" and report.removed == []
    assert any("more than 10 names" in warning for warning in report.warnings)


def test_kept_versions_are_bounded_and_the_last_copy_then_stays(world: World) -> None:
    """F06: never silently lost."""
    world.limits = Limits(conflict_copies=2)
    write(world.user, "x", "user 0")
    world.sync()
    for number in range(1, 4):
        write(world.copies, "x", f"agent {number}")
        write(world.user, "x", f"user {number}")
        report = world.sync()

    assert sorted(world.kept().values()) == ["agent 1", "agent 2"]
    assert read(world.copies, "x") == "agent 3"
    assert any("2 versions are kept" in warning for warning in report.warnings)
