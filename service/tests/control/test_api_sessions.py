# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The sessions that the API lists, repairs and forgets, and what agents say of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agentd.errors import CallRefused, CallTimedOut

from .fakes import FakeEngine, FakeSpawner
from .running_app import Control, Parts, control

Given = Mapping[str, object]
ORPHAN = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


@dataclass
class TellingSpawner(FakeSpawner):
    """Agents that answer some calls as the test says."""

    told: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)

    async def call(
        self, agent: str, name: str, parameters: Given, *, timeout_seconds: float
    ) -> dict[str, object]:
        answer = await super().call(
            agent, name, parameters, timeout_seconds=timeout_seconds
        )
        if name not in self.told:
            return answer
        said: Any = self.told[name](parameters)
        if isinstance(said, Exception):
            raise said
        return dict(said)


def scan(verdict: object, **more: object) -> Callable[[Given], object]:
    """Return an agent's answer that judges every transcript alike."""

    def answer(given: Given) -> object:
        ids: Any = given["session_ids"]
        return {"sessions": {one: {"verdict": verdict, **more} for one in ids}}

    return answer


def nothing_listed(_given: Given) -> object:
    return {"sessions": [], "next": None}


async def sessions(running: Control, **query: object) -> dict[str, Any]:
    response = await running.client.get("/sessions", params=query)  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_sessions_are_told_without_asking_the_agents(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        said = (await running.say()).json()
        running.spawner.calls.clear()
        found = await sessions(running)

    (one,) = found["sessions"]
    assert (one["session_id"], one["agent"]) == (said["session_id"], "main")
    assert (one["live"], one["resumable"], one["durable"]) == (True, True, True)
    # A start asks about the sessions that are known then, once and by itself.
    names = [name for _agent, name, _given in running.spawner.calls]
    assert (found["scanned"], found["orphans"]) == (False, [])
    assert "list_transcripts" not in names


@pytest.mark.parametrize(
    ("verdict", "resumable"),
    [
        ("sound", True),
        ("damaged", True),
        ("unusable", False),
        ("missing", False),
        ("foreign", False),
        ("splendid", None),
        (7, None),
        (["sound"], None),
    ],
)
async def test_a_scan_says_which_sessions_would_go_on(
    tmp_path: Path, verdict: object, resumable: bool | None
) -> None:
    """G21: an id without a transcript is told."""
    told = {"scan_transcripts": scan(verdict), "list_transcripts": nothing_listed}
    async with control(tmp_path, Parts(spawner=TellingSpawner(told=told))) as running:
        await running.say()
        running.engine.alive.clear()
        (one,) = (await sessions(running, scan=True))["sessions"]

    assert one["resumable"] is resumable
    assert one["why"]


async def test_transcripts_that_no_conversation_has_are_told(tmp_path: Path) -> None:
    """G21: the other half."""
    known: list[str] = []

    def listed(given: Given) -> object:
        if given["after"] is not None:
            return {"sessions": [{"session_id": ORPHAN, "bytes": 9, "modified": 1.0}]}
        first = [{"session_id": known[0], "bytes": 5}, {"session_id": "../x"}]
        return {"sessions": first, "next": known[0]}

    told = {"scan_transcripts": scan("sound"), "list_transcripts": listed}
    async with control(tmp_path, Parts(spawner=TellingSpawner(told=told))) as running:
        known.append((await running.say()).json()["session_id"])
        found = await sessions(running, scan=True)

    assert found["orphans"] == [
        {
            "agent": "main",
            "session_id": ORPHAN,
            "bytes": 9,
            "modified": "1970-01-01T00:00:01.000Z",
        }
    ]


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("scan_transcripts", CallTimedOut("It did not answer.")),
        ("scan_transcripts", CallRefused("It knows no such call.")),
        ("scan_transcripts", {"sessions": 7}),
        ("scan_transcripts", {"sessions": {"another": {"verdict": "sound"}}}),
        ("list_transcripts", CallTimedOut("It did not answer.")),
    ],
)
async def test_an_agent_that_does_not_tell_is_a_problem_and_no_failure(
    tmp_path: Path, call: str, answer: object
) -> None:
    told = {
        "scan_transcripts": scan("sound"),
        "list_transcripts": nothing_listed,
        call: lambda _given: answer,
    }
    async with control(tmp_path, Parts(spawner=TellingSpawner(told=told))) as running:
        await running.say()
        found = await sessions(running, scan=True)

    assert len(found["problems"]) == 1


async def test_an_agent_that_lists_without_end_is_not_asked_without_end(
    tmp_path: Path,
) -> None:
    endless = {"sessions": [{"session_id": ORPHAN}] * 600, "next": ORPHAN}
    told = {"list_transcripts": lambda _given: endless}
    async with control(tmp_path, Parts(spawner=TellingSpawner(told=told))) as running:
        found = await sessions(running, scan=True)

    assert len(found["orphans"]) == 1000
    assert len(running.spawner.calls) < 10


async def test_a_repair_closes_the_client_first_and_keeps_the_conversation(
    tmp_path: Path,
) -> None:
    repaired = {
        "repaired": True,
        "kept": "/kept\n",
        "verdict": "sound",
        "faults": [{"kind": "torn_line", "count": 1, "first_line": 3}],
    }
    told = {"repair_transcript": lambda _given: repaired}
    async with control(tmp_path, Parts(spawner=TellingSpawner(told=told))) as running:
        said = (await running.say()).json()
        response = await running.client.post(f"/sessions/{said['session_id']}/repair")
        again = await running.say(conversation_id=said["conversation_id"])

    assert response.status_code == 200
    assert response.json()["kept"] == "/kept "
    assert running.engine.closed == [said["conversation_id"]]
    assert again.json()["session_id"] == said["session_id"]


async def test_a_session_in_a_turn_is_not_repaired(tmp_path: Path) -> None:
    engine = FakeEngine(gate=asyncio.Event())
    assert engine.gate is not None
    engine.gate.set()
    async with control(tmp_path, Parts(engine=engine)) as running:
        said = (await running.say()).json()
        engine.gate.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(running.say(conversation_id=said["conversation_id"]))
            while len(engine.wishes) < 2:
                await asyncio.sleep(0.01)
            busy = await running.client.post(f"/sessions/{said['session_id']}/repair")
            engine.gate.set()

    assert busy.status_code == 409
    assert busy.json()["conversation_id"] == said["conversation_id"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sessions/nonsense/repair", 400),
        (f"/sessions/{ORPHAN}/repair", 404),
        (f"/sessions/{ORPHAN.upper()}/repair", 404),
    ],
)
async def test_a_session_that_nobody_has_is_not_repaired(
    tmp_path: Path, path: str, status: int
) -> None:
    async with control(tmp_path) as running:
        response = await running.client.post(path)

    assert response.status_code == status


async def test_a_repair_that_the_agent_refuses_says_why(tmp_path: Path) -> None:
    refused = CallRefused('Agent "main" refused "repair_transcript": a CLI of it runs.')
    told = {"repair_transcript": lambda _given: refused}
    async with control(tmp_path, Parts(spawner=TellingSpawner(told=told))) as running:
        response = await running.client.post(
            f"/sessions/{ORPHAN}/repair", json={"agent": "main"}
        )

    assert response.status_code == 503
    assert "a CLI of it runs" in response.json()["error"]


async def test_the_sessions_of_an_issue_are_dropped_and_counted(tmp_path: Path) -> None:
    """G08."""
    issue = {"repository": "shop/web", "issue": "17"}
    spawner = FakeSpawner(connected={"main": True, "mail": True})
    async with control(tmp_path, Parts(spawner=spawner)) as running:
        for agent in ("main", "mail"):
            await running.say(agent=agent, **issue)
        dropped = await running.client.delete("/sessions", params=issue)
        again = await running.client.delete("/sessions", params=issue)
        half = await running.client.delete("/sessions", params={"issue": "17"})

    assert dropped.json() == {**issue, "dropped": 2}
    assert again.json() == {**issue, "dropped": 0}
    assert half.status_code == 400
