# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Skills as the API tells them, and being told to stop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from agentd.api.skill_reports import MAX_NAMES, ExpectedSkills, read_report

from .fakes import FakeEngine, success, wish
from .running_app import Parts, control
from .test_api_sessions import TellingSpawner

REPORT = {
    "builtIn": ["documents"],
    "org": ["style"],
    "user": ["letters", "style"],
    "effective": ["documents", "letters", "style"],
    "shadowed": [{"name": "style", "winner": "org", "loser": "/data/memory/skills"}],
    "persisted": ["letters"],
    "changed": True,
}


def reporting(connected: dict[str, bool] | None = None) -> TellingSpawner:
    told = {call: lambda _given: REPORT for call in ("skills", "sync_skills")}
    return TellingSpawner(connected=connected or {"main": True}, told=told)


async def test_a_reload_tells_what_picoclaw_told_and_more(tmp_path: Path) -> None:
    """F15."""
    spawner = reporting({"main": True, "mail": True})
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        response = await running.client.post("/admin/reload-skills")

    body = response.json()
    assert response.status_code == 200
    assert body["status"] == "reloaded"
    assert {key: body["skills"][key] for key in REPORT} == REPORT
    assert set(body["agents"]) == {"main", "mail"}
    assert [name for _agent, name, _given in spawner.calls] == ["sync_skills"] * 2


async def test_a_reload_that_changed_anything_closes_idle_clients(
    tmp_path: Path,
) -> None:
    """A live CLI knows the skills that it started with."""
    engine = FakeEngine()
    async with control(tmp_path, Parts(engine=engine, spawner=reporting())) as running:
        said = (await running.say()).json()
        await running.client.post("/admin/reload-skills")
        again = (await running.say(conversation_id=said["conversation_id"])).json()

    assert engine.closed == [said["conversation_id"]]
    assert again["session_id"] == said["session_id"]


async def test_one_agent_is_reloaded_alone(tmp_path: Path) -> None:
    spawner = reporting({"main": True, "mail": True})
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        await running.client.post("/admin/reload-skills", json={"agent": "mail"})
        unknown = await running.client.post(
            "/admin/reload-skills", json={"agent": "nobody"}
        )

    assert [agent for agent, _name, _given in spawner.calls] == ["mail"]
    assert unknown.status_code == 404


async def test_an_agent_that_is_away_hides_no_other(tmp_path: Path) -> None:
    spawner = reporting({"main": True, "mail": False})
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        told = (await running.client.get("/admin/skills")).json()
        alone = await running.client.get("/admin/skills", params={"agent": "mail"})

    assert told["agents"]["main"]["error"] is None
    assert "not connected" in told["agents"]["mail"]["error"]
    assert alone.status_code == 503


async def test_skills_that_the_cli_did_not_report_are_named(tmp_path: Path) -> None:
    outcome = replace(success(wish(), "x"), skills=("documents", "style"))
    engine = FakeEngine(script=[outcome])
    async with control(tmp_path, Parts(engine=engine, spawner=reporting())) as running:
        await running.client.get("/health")
        await running.say()
        told = (await running.client.get("/admin/skills")).json()["skills"]
        figures = (await running.client.get("/metrics")).text

    assert told["missing"] == ["letters"]
    assert 'agentd_skills_missing{agent="main"} 1.0' in figures


def test_nothing_is_missing_before_a_turn_told_what_is_there() -> None:
    expected = ExpectedSkills()
    expected.expect("main", read_report(REPORT))

    assert expected.missing("main") == ()


def test_a_report_that_is_none_becomes_an_empty_one() -> None:
    hostile = {
        "builtIn": "all",
        "org": [None, 7, "\x1b[31mred"],
        "user": ["x"] * (MAX_NAMES + 5),
        "shadowed": [7, {"name": None}],
        "conflicts": {"a": 1},
        "changed": "yes",
        "managed_mcp": ["present"],
    }

    report = read_report(hostile)

    assert (report.builtIn, report.org) == ([], [" [31mred"])
    assert len(report.user) == MAX_NAMES
    assert len(report.shadowed) == 1
    assert (report.changed, report.managed_mcp) == (False, None)
    assert len(json.dumps(report.model_dump())) < 1_000_000


async def test_a_stop_is_told_on_once_with_its_reason(tmp_path: Path) -> None:
    """J12."""
    reasons: list[str] = []
    parts = Parts(stop=reasons.append)
    async with control(tmp_path, parts) as running:
        plain = await running.client.post("/control/stop")
        named = await running.client.post("/control/stop", json={"reason": " end "})
        wrong = await running.client.post("/control/stop", json={"reason": 7})

    assert plain.json()["status"] == "stopping"
    assert [plain.json()["reason"], named.json()["reason"]] == ["api-stop", "end"]
    assert reasons == ["api-stop", "end"]
    assert wrong.status_code == 400


async def test_a_stop_that_nobody_takes_is_501(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        response = await running.client.post("/control/stop")

    assert response.status_code == 501
    assert response.json()["error"]


async def test_a_first_agent_that_is_away_keeps_no_other_from_its_new_skills(
    tmp_path: Path,
) -> None:
    engine = FakeEngine()
    spawner = reporting({"main": True, "mail": True})
    parts = Parts(engine=engine, spawner=spawner)
    async with control(tmp_path, parts) as running:
        said = (await running.say(agent="mail")).json()
        spawner.connected["main"] = False
        answer = await running.client.post("/admin/reload-skills")

    assert answer.status_code == 503
    assert engine.closed == [said["conversation_id"]]
