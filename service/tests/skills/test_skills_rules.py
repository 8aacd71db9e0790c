# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The rules of the sync of skills, on real directories."""

from __future__ import annotations

import os

import pytest

from .world import World, content, read, remove, times, write


def test_a_skill_made_at_run_time_survives_and_is_a_user_skill(world: World) -> None:
    """F01."""
    write(world.copies, "new", "made at run time")
    write(world.copies, "new", "echo hello", "scripts/run.sh").chmod(0o755)

    report = world.sync()
    remove(world.copies, "new")
    world.sync()

    assert report.persisted == ["new"]
    assert content(world.user / "new") == content(world.copies / "new")
    assert read(world.copies, "new") == "made at run time"
    assert os.access(world.copies / "new" / "scripts" / "run.sh", os.X_OK)


def test_the_steps_are_persist_then_clear_then_sync(world: World) -> None:
    """E02, F02."""
    world.sync()

    assert world.steps == ["skills_persist", "skills_clear", "skills_sync"]


@pytest.mark.parametrize(
    ("tiers", "effective"),
    [
        (("org", "built_in", "uploaded", "user"), "org"),
        (("built_in", "uploaded", "user"), "built_in"),
        (("uploaded", "user"), "uploaded"),
        (("org", "user"), "org"),
        (("user",), "user"),
    ],
)
def test_org_comes_before_the_image_that_before_uploads_and_those_before_the_user(
    world: World, tiers: tuple[str, ...], effective: str
) -> None:
    """F03."""
    for tier in tiers:
        write(getattr(world, tier), "x", tier)

    world.sync()

    assert content(world.copies) == {"x/SKILL.md": effective}


def test_a_higher_tier_replaces_the_lower_one_whole(world: World) -> None:
    """F04: no file of the lower tier, no directory in one of its name."""
    write(world.built_in, "x", "built-in")
    write(world.built_in, "x", "only here", "more/file")
    world.sync()
    write(world.org, "x", "org")

    world.sync()

    assert content(world.copies) == {"x/SKILL.md": "org"}
    assert sorted(os.listdir(world.copies / "x")) == ["SKILL.md"]


@pytest.mark.parametrize("tier", ["org", "built_in", "uploaded"])
def test_an_edited_copy_of_a_managed_skill_is_restored_and_not_saved(
    world: World, tier: str
) -> None:
    """F05."""
    write(getattr(world, tier), "x", "theirs")
    world.sync()
    write(world.copies, "x", "edited")
    write(world.copies, "x", "added", "more")

    report = world.sync()

    assert content(world.copies) == {"x/SKILL.md": "theirs"}
    assert report.persisted == [] and report.conflicts == []
    assert content(world.user) == {}


def test_an_edit_of_a_user_skill_is_saved_back(world: World) -> None:
    """F06."""
    write(world.user, "mine", "first")
    world.sync()
    write(world.copies, "mine", "second")

    report = world.sync()

    assert report.persisted == ["mine"]
    assert read(world.user, "mine") == "second"
    assert world.kept() == {}


def test_an_edit_is_kept_beside_when_the_user_skill_changed_too(world: World) -> None:
    """F06."""
    write(world.user, "mine", "first")
    world.sync()
    write(world.copies, "mine", "edited by the agent")
    write(world.user, "mine", "edited by the user")

    report = world.sync()
    again = world.sync()

    assert read(world.copies, "mine") == "edited by the user"
    assert list(world.kept().values()) == ["edited by the agent"]
    assert [conflict.name for conflict in report.conflicts] == ["mine"]
    assert (world.root / report.conflicts[0].copy / "SKILL.md").exists()
    assert again.conflicts == [] and again.effective == ["mine"]


def test_an_edit_is_saved_before_a_new_skill_of_the_organisation_hides_it(
    world: World,
) -> None:
    """F06."""
    write(world.user, "x", "first")
    world.sync()
    write(world.copies, "x", "second")
    write(world.org, "x", "org")

    report = world.sync()

    assert read(world.user, "x") == "second"
    assert read(world.copies, "x") == "org"
    assert report.persisted == ["x"]


def test_an_edit_of_a_skill_that_the_user_removed_is_kept_beside(world: World) -> None:
    """F06, F09: the removal counts, and the edit is not lost."""
    write(world.user, "mine", "first")
    world.sync()
    write(world.copies, "mine", "second")
    remove(world.user, "mine")

    report = world.sync()
    world.sync()

    assert report.removed == ["mine"]
    assert content(world.copies) == {}
    assert list(world.kept().values()) == ["second"]


def test_a_hidden_user_skill_is_reported_with_winner_and_loser(world: World) -> None:
    """F07."""
    for directory in (world.org, world.built_in, world.user):
        write(directory, "x", "x")
    write(world.built_in, "y", "y")
    write(world.user, "y", "other y")
    write(world.user, "z", "z")

    report = world.sync()

    assert [(one.name, one.winner, one.loser) for one in report.shadowed] == [
        ("x", "org", str(world.user / "x")),
        ("y", "builtIn", str(world.user / "y")),
    ]


def test_a_runtime_skill_is_saved_before_the_organisation_takes_its_name(
    world: World,
) -> None:
    """F01: nobody had the name when the agent took it."""
    world.sync()
    write(world.copies, "x", "the agent's")
    write(world.org, "x", "org")

    report = world.sync()

    assert read(world.copies, "x") == "org"
    assert read(world.user, "x") == "the agent's"
    assert [one.name for one in report.shadowed] == ["x"]


def test_without_a_manifest_an_unknown_copy_of_a_managed_name_is_kept_beside(
    world: World,
) -> None:
    """F08: as a user skill, an old copy of theirs would come back for ever."""
    write(world.copies, "x", "of an older release, or the agent's")
    write(world.org, "x", "org")

    world.sync()
    remove(world.org, "x")
    world.sync()

    assert content(world.copies) == {}
    assert list(world.kept().values()) == ["of an older release, or the agent's"]


def test_a_second_sync_changes_nothing_and_touches_no_file(world: World) -> None:
    """F19."""
    write(world.org, "a", "a")
    write(world.built_in, "b", "b", "deep/er/file")
    write(world.user, "c", "c")
    write(world.copies, "d", "d")
    first = world.sync()
    before = times(world.root)

    second = world.sync()

    assert first.changed and not second.changed
    assert times(world.root) == before
    assert second.effective == first.effective == ["a", "b", "c", "d"]


def test_a_touched_file_of_the_same_content_is_no_edit(world: World) -> None:
    """F19."""
    write(world.user, "mine", "first")
    world.sync()
    os.utime(world.copies / "mine" / "SKILL.md")

    report = world.sync()

    assert not report.changed


def test_an_edit_that_hides_its_time_and_size_is_seen(world: World) -> None:
    """F05."""
    write(world.org, "x", "one")
    world.sync()
    path = world.copies / "x" / "SKILL.md"
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    world.sync()

    assert path.read_text() == "one"


def test_only_selected_skills_are_synced(world: World) -> None:
    """F17."""
    for name in ("a", "b"):
        write(world.org, name, name)
        write(world.user, f"my-{name}", name)

    report = world.sync(["a", "my-b", "nowhere"])

    assert sorted(os.listdir(world.copies)) == ["a", "my-b"]
    assert report.effective == ["a", "my-b"]
    assert any('"nowhere"' in warning for warning in report.warnings)


def test_a_deselected_copy_and_a_link_go_and_a_directory_of_the_agent_stays(
    world: World,
) -> None:
    """F17: what a sync put is removed, what it did not put never."""
    write(world.org, "a", "a")
    write(world.user, "mine", "first")
    world.sync()
    write(world.copies, "mine", "edited")
    write(world.copies, "runtime", "the agent's own")
    (world.copies / "link").symlink_to(world.user / "mine")

    report = world.sync([])
    world.sync([])

    assert sorted(os.listdir(world.copies)) == ["runtime"]
    assert report.removed == ["a", "link", "mine"]
    assert read(world.user, "mine") == "edited"
    assert read(world.user, "runtime") == "the agent's own"


def test_selecting_it_again_brings_a_skill_back(world: World) -> None:
    """F17."""
    write(world.user, "mine", "first")
    world.sync()
    world.sync([])

    world.sync(None)

    assert read(world.copies, "mine") == "first"


def test_exec_bits_and_times_are_kept(world: World) -> None:
    """F13."""
    path = write(world.org, "x", "echo", "scripts/run.sh")
    path.chmod(0o555)
    for one in (path, path.parent, path.parent.parent):
        os.utime(one, ns=(1_000_000_000, 1_234_567_890_123_456_789))

    world.sync()

    copy = world.copies / "x" / "scripts" / "run.sh"
    assert copy.stat().st_mode & 0o777 == 0o755
    assert copy.stat().st_uid == os.geteuid()
    for one in (copy, copy.parent, copy.parent.parent):
        assert one.stat().st_mtime_ns == 1_234_567_890_123_456_789
