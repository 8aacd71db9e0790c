# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Links, special files, bad names, limits and any manifest: nothing gets out."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from .world import World, content, read, write

PLACES = ("org", "built_in", "uploaded", "user", "copies")


@pytest.mark.parametrize("place", PLACES)
def test_links_that_leave_the_skill_are_not_copied(
    world: World, secret: Path, place: str
) -> None:
    """F12."""
    skill = write(getattr(world, place), "x", "x").parent
    (skill / "sub").mkdir()
    (skill / "absolute").symlink_to(secret)
    (skill / "relative").symlink_to("../../secret")
    (skill / "sub" / "up").symlink_to("..")
    (skill / "twisted").symlink_to("sub/up/../../secret")
    (skill / "directory").symlink_to(secret.parent)
    (skill / "dangling").symlink_to("nowhere")
    (skill / "round").symlink_to("round")

    report = world.sync()

    into = world.user if place == "copies" else world.copies
    assert sorted(content(into / "x")) == ["SKILL.md"]
    assert sum("It is not copied" in warning for warning in report.warnings) == 7
    assert read(world.copies, "x") == "x"


def test_a_link_straight_to_a_file_of_the_same_skill_is_kept(world: World) -> None:
    """F12."""
    skill = write(world.org, "x", "x", "docs/guide.md").parent.parent
    write(world.org, "x", "skill")
    (skill / "docs" / "also.md").symlink_to("../SKILL.md")
    (skill / "guide.md").symlink_to("docs/guide.md")

    report = world.sync()
    again = world.sync()

    assert read(world.copies, "x", "guide.md") == "x"
    assert read(world.copies, "x", "docs/also.md") == "skill"
    assert report.warnings == () and not again.changed


@pytest.mark.parametrize("place", PLACES)
def test_special_files_are_left_out_and_never_opened(world: World, place: str) -> None:
    """F12."""
    skill = write(getattr(world, place), "x", "x").parent
    os.mkfifo(skill / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(skill / "socket"))

    report = world.sync()

    into = world.user if place == "copies" else world.copies
    assert sorted(os.listdir(into / "x")) == ["SKILL.md"]
    kinds = " ".join(report.warnings)
    assert "fifo is a FIFO" in kinds and "socket is a socket" in kinds


def test_a_hard_link_becomes_a_file_of_its_own(world: World, secret: Path) -> None:
    """F12: what is written to the copy never reaches the file outside."""
    skill = write(world.user, "x", "x").parent
    os.link(secret, skill / "linked")

    world.sync()
    (world.copies / "x" / "linked").write_text("changed")

    assert secret.read_text() == "secret"


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_directory_or_has_a_bad_name_is_ignored(
    world: World, secret: Path, place: str
) -> None:
    """F11, E11."""
    directory: Path = getattr(world, place)
    (directory / "file").write_text("f")
    (directory / "dangling").symlink_to("nowhere")
    (directory / "linked").symlink_to(secret.parent)
    (directory / "round").symlink_to("round")
    os.mkfifo(directory / "fifo")
    bad = [".hidden", "line\nbreak", "bell\a", "x" * 201]
    for name in bad:
        write(directory, name, "bad")
    os.mkdir(os.fsencode(directory) + b"/\xff\xfe")
    before = sorted(os.listdir(os.fsencode(directory)))
    write(world.org, "good", "good")

    report = world.sync()

    assert read(world.copies, "good") == "good"
    assert "good" in report.effective and len(report.effective) == 1
    assert len([one for one in report.warnings if one.startswith("Ignored")]) == 10
    assert set(before) <= set(os.listdir(os.fsencode(directory)))
    json.dumps(report.for_output()).encode()
    assert "\n" not in "".join(report.warnings)


def test_a_link_in_the_place_of_a_skill_is_replaced_and_not_followed(
    world: World,
) -> None:
    """F12."""
    elsewhere = world.root / "elsewhere"
    write(world.root, "elsewhere", "not to be touched")
    write(world.org, "x", "org")
    (world.copies / "x").symlink_to(elsewhere)

    world.sync()

    assert not (world.copies / "x").is_symlink()
    assert read(world.copies, "x") == "org"
    assert read(world.root, "elsewhere") == "not to be touched"


def test_a_file_in_the_place_of_a_skill_stays_and_is_named(world: World) -> None:
    write(world.org, "x", "org")
    (world.copies / "x").write_text("a file of the agent")

    report = world.sync()

    assert (world.copies / "x").read_text() == "a file of the agent"
    assert any("a file lies in its place" in warning for warning in report.warnings)


@pytest.mark.parametrize("which", ["copies", "state", "user"])
def test_a_directory_that_is_a_link_is_not_followed(
    world: World, secret: Path, which: str
) -> None:
    """F12."""
    outside = world.root / "outside"
    write(world.root, "outside", "x", "skill/SKILL.md")
    before = content(outside)
    place = world.state.parent if which == "state" else getattr(world, which)
    if place.exists():
        place.rmdir()
    place.symlink_to(outside)
    write(world.built_in, "good", "good")

    report = world.sync()

    assert content(outside) == before
    assert which == "state" or report.warnings


def test_a_user_directory_that_is_the_destination_is_refused(world: World) -> None:
    write(world.copies, "x", "x")
    places = replace(world.places, user=world.copies)
    from agentd.skills.sync import sync_skills

    report = sync_skills(places, None, lambda _step: None)

    assert "the same directory" in report.warnings[0]
    assert read(world.copies, "x") == "x"
