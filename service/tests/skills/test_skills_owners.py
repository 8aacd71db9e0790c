# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Another uid: what the agent may not read, write or remove."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from agentd.skills.area import STAGING
from agentd.skills.sync import SkillsReport

from .world import World, in_a_child, read, write

AGENT_UID = 20_101
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for other uids")


def as_agent(world: World) -> SkillsReport:
    """Sync as another uid; return what it reported."""
    reader, writer = os.pipe()

    def sync() -> None:
        os.setgid(AGENT_UID)
        os.setuid(AGENT_UID)
        report = world.sync()
        values = {"report": asdict(report), "steps": world.steps}
        os.write(writer, json.dumps(values).encode())

    in_a_child(sync)
    os.close(writer)
    with os.fdopen(reader) as answer:
        values = json.loads(answer.read())
    world.steps[:] = values["steps"]
    return SkillsReport(**values["report"])


@pytest.fixture
def agents(world: World) -> World:
    """A world whose memory belongs to the agent's uid."""
    above = (
        one for one in world.root.parents if one.name.startswith(("pytest-", "popen-"))
    )
    for place in (world.root, *above):
        place.chmod(0o755)
    subprocess.run(
        ["chown", "-R", f"{AGENT_UID}:{AGENT_UID}", str(world.root / "memory")],
        check=True,
    )
    return world


@pytest.mark.root
@needs_root
def test_a_user_directory_of_another_owner_stops_the_clear(agents: World) -> None:
    """F02."""
    write(agents.org, "x", "first")
    as_agent(agents)
    write(agents.copies, "new", "runtime")
    write(agents.org, "x", "second")
    write(agents.org, "y", "missing")
    os.chown(agents.user, 0, 0)

    report = as_agent(agents)

    assert agents.steps == ["skills_persist", "skills_sync"]
    assert read(agents.copies, "x") == "first"
    assert read(agents.copies, "y") == "missing"
    assert read(agents.copies, "new") == "runtime"
    assert any(
        'Cannot save the skill "new": Permission denied as uid 20101' in warning
        for warning in report.warnings
    )

    os.chown(agents.user, AGENT_UID, AGENT_UID)
    as_agent(agents)

    assert read(agents.copies, "x") == "second"
    assert read(agents.user, "new") == "runtime"
    assert (agents.user / "new" / "SKILL.md").stat().st_uid == AGENT_UID


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("tier", ["org", "built_in", "user"])
def test_an_unreadable_source_is_not_taken_for_an_empty_one(
    agents: World, tier: str
) -> None:
    """F08: what cannot be seen was not removed."""
    directory: Path = getattr(agents, tier)
    write(directory, "x", "x")
    as_agent(agents)
    os.chown(directory, 0, 0)
    directory.chmod(0o700)

    report = as_agent(agents)

    assert read(agents.copies, "x") == "x"
    assert not report.removed
    assert any("Permission denied" in warning for warning in report.warnings)


@pytest.mark.root
@needs_root
def test_an_unreadable_skill_keeps_what_was_put_before(agents: World) -> None:
    write(agents.org, "x", "org")
    write(agents.built_in, "x", "built-in")
    as_agent(agents)
    (agents.org / "x" / "SKILL.md").write_text("second")
    (agents.org / "x" / "SKILL.md").chmod(0o600)

    report = as_agent(agents)

    assert read(agents.copies, "x") == "org"
    assert any("Cannot read the skill" in warning for warning in report.warnings)


@pytest.mark.root
@needs_root
def test_what_another_owner_left_in_a_copy_hinders_no_later_sync(
    agents: World,
) -> None:
    """F05, F18."""
    write(agents.org, "x", "first")
    write(agents.user, "mine", "mine")
    os.chown(agents.user / "mine", AGENT_UID, AGENT_UID)
    as_agent(agents)
    write(agents.copies, "x", "of root", "sub/file")
    write(agents.org, "x", "second")
    write(agents.copies, "mine", "edited")

    first = as_agent(agents)
    write(agents.org, "x", "third")
    second = as_agent(agents)

    assert read(agents.copies, "x") == "third"
    assert read(agents.user, "mine") == "edited"
    for report in (first, second):
        assert any("Cannot remove" in warning for warning in report.warnings)
        assert report.effective == ["mine", "x"]


@pytest.mark.root
@needs_root
def test_an_edit_of_a_user_skill_of_another_owner_is_kept_beside(
    agents: World,
) -> None:
    """F06."""
    write(agents.user, "mine", "of root")
    as_agent(agents)
    write(agents.copies, "mine", "edited")

    first = as_agent(agents)
    second = as_agent(agents)
    edited = read(agents.copies, "mine")
    write(agents.org, "mine", "org")
    as_agent(agents)

    assert [len(one.conflicts) for one in (first, second)] == [1, 0]
    assert any("does not belong to uid" in warning for warning in first.warnings)
    assert edited == "edited" and read(agents.copies, "mine") == "org"
    assert read(agents.user, "mine") == "of root"
    assert list(agents.kept().values()) == ["edited"]


@pytest.mark.root
@needs_root
def test_a_place_of_the_organisation_that_cannot_be_seen_is_not_taken_for_absent(
    agents: World,
) -> None:
    """F08, F14."""
    from agentd.skills.places import places_of

    from .test_skill_calls import settings_of

    own = agents.root / "organisation" / "skills"
    own.mkdir(parents=True)
    own.parent.chmod(0o700)
    reader, writer = os.pipe()

    def look() -> None:
        os.setuid(AGENT_UID)
        os.write(writer, str(places_of(settings_of(agents)).org).encode())

    in_a_child(look)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert answer.read() == str(own)


@pytest.mark.root
@needs_root
def test_read_only_directories_of_a_source_make_copies_that_can_be_replaced(
    agents: World,
) -> None:
    """F13."""
    path = write(agents.org, "x", "first", "docs/a")
    for one in (path, path.parent, path.parent.parent):
        one.chmod(one.stat().st_mode & 0o555)
    as_agent(agents)
    path.write_text("second")

    as_agent(agents)

    assert read(agents.copies, "x", "docs/a") == "second"
    assert os.listdir(agents.copies) == ["x"]


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("place", ["staging", "state"])
def test_a_directory_of_ours_that_the_agent_closed_is_opened_again(
    agents: World, place: str
) -> None:
    """F02: else no sync would ever be possible again."""
    write(agents.user, "x", "x")
    own = agents.state.parent if place == "state" else agents.copies / STAGING
    own.mkdir(parents=True, exist_ok=True)
    for path in (agents.user / "x", agents.user / "x" / "SKILL.md", own):
        os.chown(path, AGENT_UID, AGENT_UID)
    own.chmod(0)

    report = as_agent(agents)

    assert report.effective == ["x"], report
    assert read(agents.copies, "x") == "x"
