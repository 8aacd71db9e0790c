# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls of an agent's skills, their places, and reports that fit in a frame."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from agentd.agent.settings import AgentSettings
from agentd.agent.skill_calls import skill_calls
from agentd.skills.sync import SkillsReport, places_of, sync_skills
from agentd.skills.values import Conflict, Shadowed
from agentd.spawner.frames import FrameKind, decode_json, encode_json

from .world import World, content, write


def settings_of(world: World) -> AgentSettings:
    """Return the settings of the agent whose directories these are."""
    memory = world.root / "memory"
    return AgentSettings(
        component="agent",
        deployment="demo",
        agent="main",
        working_directory=str(memory),
        config_directory=str(memory / ".claude"),
        org_directory=str(world.root / "organisation"),
        org_skills_directory=str(world.org),
        built_in_skills_directory=str(world.built_in),
        uploaded_skills_directory=str(world.uploaded),
    )


async def test_a_reload_syncs_and_reports_what_is_there(world: World) -> None:
    """F15."""
    calls = skill_calls(settings_of(world))
    write(world.org, "a", "org")
    write(world.built_in, "b", "built-in")
    write(world.uploaded, "b", "uploaded")
    write(world.uploaded, "d", "uploaded")
    write(world.user, "a", "user")
    write(world.copies, "c", "runtime")

    answer = await calls["sync_skills"]({})
    last = await calls["skills"]({})

    assert answer == last
    assert answer == {
        "builtIn": ["b"],
        "org": ["a"],
        "uploaded": ["b", "d"],
        "user": ["a", "c"],
        "effective": ["a", "b", "c", "d"],
        "shadowed": [
            {"name": "a", "winner": "org", "loser": str(world.user / "a")},
            {"name": "b", "winner": "builtIn", "loser": str(world.uploaded / "b")},
        ],
        "persisted": ["c"],
        "conflicts": [],
        "removed": [],
        "warnings": [],
        "changed": True,
    }


async def test_boot_and_reload_give_equal_trees(tmp_path: Path) -> None:
    """F16."""
    worlds = [World(tmp_path / name).lay_out() for name in ("boot", "reload")]
    for world in worlds:
        write(world.org, "a", "org")
        write(world.user, "b", "user")
        write(world.copies, "c", "runtime")
    boot, reload = (settings_of(world) for world in worlds)

    sync_skills(places_of(boot), boot.skills, lambda _step: None)
    await skill_calls(reload)["sync_skills"]({})

    for place in ("copies", "user"):
        first, second = (content(getattr(world, place)) for world in worlds)
        assert first == second != {}


async def test_the_report_of_the_boot_is_the_last_until_a_reload(
    world: World,
) -> None:
    booted = SkillsReport(persisted=["x"])
    calls = skill_calls(settings_of(world), booted)

    last = await calls["skills"]({})

    assert last["persisted"] == ["x"]


async def test_reloads_at_the_same_time_do_not_meet(world: World) -> None:
    """F16."""
    for number in range(30):
        write(world.org, f"s{number}", "org")
        write(world.copies, f"r{number}", "runtime")
    calls = skill_calls(settings_of(world))

    answers = await asyncio.gather(*(calls["sync_skills"]({}) for _unused in range(8)))

    assert [answer["warnings"] for answer in answers] == [[]] * 8
    assert sum(answer["changed"] is True for answer in answers) == 1
    assert len(content(world.copies)) == 60


def test_the_skills_of_the_organisation_are_looked_for_in_order(world: World) -> None:
    """F14."""
    settings = settings_of(world)
    own = Path(settings.org_directory) / "skills"
    nowhere = replace(settings, org_skills_directory=str(world.root / "nowhere"))

    assert places_of(settings).org == world.org
    assert places_of(nowhere).org is None
    own.mkdir(parents=True)
    assert places_of(settings).org == own
    assert places_of(settings).warnings == ()


def test_the_legacy_place_of_the_organisation_warns(world: World) -> None:
    """F14."""
    places = places_of(settings_of(world), legacy=world.org)

    assert places.org == world.org
    assert "legacy place" in places.warnings[0]


def test_a_missing_source_is_an_empty_one(world: World) -> None:
    """J05."""
    settings = settings_of(world)
    world.built_in.rmdir()
    world.org.rmdir()
    write(world.user, "x", "user")

    report = sync_skills(places_of(settings), None, lambda _step: None)

    assert report.effective == ["x"] and report.warnings == ()


def test_the_largest_report_fits_in_a_frame() -> None:
    names = [f"{number:04}" + "ü" * 98 for number in range(3000)]
    report = SkillsReport(
        built_in=names,
        org=names,
        user=names,
        effective=names,
        shadowed=[Shadowed(name=n, winner="org", loser="/" + n * 20) for n in names],
        persisted=names,
        conflicts=[Conflict(name=n, copy="/" + n * 20) for n in names],
        removed=names,
        warnings=["\udcff" * 5000] * 5000,
    )

    frame = encode_json(FrameKind.ANSWER, {"id": 1, "result": report.for_output()})

    assert "was cut" in str(report.for_output()["warnings"])
    assert decode_json(frame[-(len(frame) - 5) :])


def test_a_thousand_skills_are_reported_whole() -> None:
    names = [f"skill-{number}" for number in range(1000)]
    report = SkillsReport(built_in=names, effective=names)

    output = report.for_output()

    assert output["effective"] == output["builtIn"] == sorted(names)
    assert output["warnings"] == []
