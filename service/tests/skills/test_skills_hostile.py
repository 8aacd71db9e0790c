# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Links, special files, bad names, limits and any manifest: nothing gets out."""

from __future__ import annotations

import json
import os
import random
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from agentd.skills.values import Limits

from .world import World, content, read, write

PLACES = ("org", "built_in", "user", "copies")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside every directory of skills."""
    path = tmp_path / "secret"
    path.write_text("secret")
    return path


def everything(world: World) -> str:
    """Return all that lies in the copies and in the user directory."""
    return json.dumps([content(world.copies), content(world.user)])


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
    for _ in range(60):
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
    for _ in range(60):
        damaged = bytearray(good)
        for _ in range(generator.randint(1, 20)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        world.state.write_bytes(damaged)

        world.sync()

        assert content(world.copies) == {
            "mine/SKILL.md": "mine",
            "x/SKILL.md": "org",
        }
        assert read(world.user, "mine") == "mine"
