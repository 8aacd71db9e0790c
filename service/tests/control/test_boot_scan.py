# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""After a start, the transcripts that conversations rely on are judged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agentd.conversations import boot_scan
from agentd.errors import AgentdError, AgentLost, CallRefused
from agentd.sessions.scans import ToldScan, read_scan

from .fakes import FakeSpawner
from .running_app import Control, Parts, control

SOUND = {"verdict": "sound", "faults": [], "running": False}
GONE = {"verdict": "missing", "faults": [], "running": False}


@dataclass
class Side(FakeSpawner):
    """An agent's side that says of its transcripts what the test has it say."""

    says: object = field(default_factory=lambda: dict(SOUND))
    refuses: AgentdError | None = None
    most: int = 1000
    asked: list[list[str]] = field(default_factory=list)
    repair: dict[str, object] | AgentdError | None = None
    repairs: list[object] = field(default_factory=list)

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        """Answer scan_transcripts and repair_transcript; all else as every fake."""
        if name == "repair_transcript":
            self.repairs.append(parameters["session_id"])
            if isinstance(self.repair, dict):
                return self.repair
            raise self.repair or CallRefused("Not in this test.")
        if name != "scan_transcripts":
            return await super().call(
                agent, name, parameters, timeout_seconds=timeout_seconds
            )
        sessions = parameters["session_ids"]
        assert isinstance(sessions, list)
        self.asked.append(sessions)
        if self.refuses is not None:
            refusal, self.refuses = self.refuses, None
            raise refusal
        if not isinstance(self.says, dict):
            return {"sessions": self.says}
        return {"sessions": {one: dict(self.says) for one in sessions[: self.most]}}


async def converse(directory: Path, count: int = 1) -> list[str]:
    """Hold some conversations; return their sessions."""
    async with control(directory) as running:
        answers = [await running.say() for _number in range(count)]
    return [answer.json()["session_id"] for answer in answers]


async def started_again(directory: Path, side: Side) -> list[dict[str, object]]:
    """Start control again; return what the scan has logged when it has ended."""
    with capture_logs() as logs:
        async with control(directory, Parts(spawner=side)) as running:
            await scanned(running)
    return [dict(one) for one in logs if "session" in str(one["event"])]


async def scanned(_running: Control) -> None:
    """Wait until the scan has ended."""
    async with asyncio.timeout(10):
        while any(
            (task.get_name() or "").startswith("boot scan")
            for task in asyncio.all_tasks()
        ):
            await asyncio.sleep(0.01)


async def test_what_does_not_resume_is_in_the_log_before_anybody_asks(
    tmp_path: Path,
) -> None:
    (session,) = await converse(tmp_path)

    logs = await started_again(tmp_path, side := Side(says=GONE))

    assert side.asked == [[session]]
    lost, summary = logs
    assert (lost["event"], lost["log_level"]) == ("session_does_not_resume", "warning")
    assert (lost["session"], lost["verdict"]) == (session, "missing")
    assert (summary["event"], summary["missing"]) == ("sessions_scanned", 1)


async def test_sound_sessions_are_counted_and_not_mentioned(tmp_path: Path) -> None:
    await converse(tmp_path, 3)

    (summary,) = await started_again(tmp_path, Side())

    assert summary["sound"] == 3


async def test_a_damaged_one_names_its_faults(tmp_path: Path) -> None:
    await converse(tmp_path)
    says = {"verdict": "damaged", "faults": [{"kind": "torn"}], "running": False}

    damaged, refused, _summary = await started_again(tmp_path, Side(says=says))

    assert damaged["event"] == "session_damaged"
    assert damaged["faults"] == ("torn",)
    assert (refused["event"], refused["error"]) == (
        "session_not_repaired",
        "Not in this test.",
    )


async def test_a_damaged_one_is_repaired_and_counted(tmp_path: Path) -> None:
    (session,) = await converse(tmp_path)
    says = {"verdict": "damaged", "faults": [{"kind": "torn"}], "running": False}
    side = Side(says=says, repair={"repaired": True, "verdict": "sound"})

    _damaged, repaired, summary = await started_again(tmp_path, side)

    assert side.repairs == [session]
    assert (repaired["event"], repaired["verdict"]) == ("session_repaired", "sound")
    assert (summary["damaged"], summary["repaired"]) == (1, 1)


async def test_nothing_is_repaired_where_the_settings_say_so(tmp_path: Path) -> None:
    await converse(tmp_path)
    says = {"verdict": "damaged", "faults": [{"kind": "torn"}], "running": False}
    parts = Parts(spawner=(side := Side(says=says)))
    parts.settings["repair_transcripts"] = False

    async with control(tmp_path, parts) as running:
        await scanned(running)

    assert len(side.asked) == 1
    assert side.repairs == []


async def test_a_transcript_that_is_being_written_is_not_called_damaged(
    tmp_path: Path,
) -> None:
    await converse(tmp_path)
    says = {"verdict": "damaged", "faults": [{"kind": "torn"}], "running": True}

    (summary,) = await started_again(tmp_path, Side(says=says))

    assert summary["event"] == "sessions_scanned"


async def test_nothing_is_asked_when_no_conversation_relies_on_anything(
    tmp_path: Path,
) -> None:
    assert await started_again(tmp_path, side := Side()) == []
    assert side.asked == []


async def test_an_agent_that_is_not_there_yet_is_asked_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot_scan, "ABSENT_PAUSE_SECONDS", 0.01)
    await converse(tmp_path)
    side = Side(connected={"main": False}, refuses=AgentLost("It went away."))

    async with control(tmp_path, Parts(spawner=side)) as running:
        await asyncio.sleep(0.05)
        assert side.asked == []
        side.connected["main"] = True
        await scanned(running)

    assert len(side.asked) == 2


async def test_many_are_asked_for_in_parts_and_what_is_left_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot_scan, "AT_ONCE", 3)
    monkeypatch.setattr(boot_scan, "PAUSE_SECONDS", 0)
    sessions = await converse(tmp_path, 7)

    (summary,) = await started_again(tmp_path, side := Side(most=2))

    assert summary["sound"] == 7
    assert {one for part in side.asked for one in part} == set(sessions)
    assert max(len(part) for part in side.asked) == 3


@pytest.mark.parametrize("says", [None, [], {}, {"verdict": []}, {"verdict": "x"}, 5])
async def test_whatever_an_agent_s_side_says_the_scan_ends(
    tmp_path: Path, says: object
) -> None:
    await converse(tmp_path, 2)

    (summary,) = await started_again(tmp_path, Side(says=says))

    assert summary["unknown"] == 2


async def test_an_agent_s_side_that_refuses_is_named(tmp_path: Path) -> None:
    await converse(tmp_path)

    (refused,) = await started_again(tmp_path, Side(refuses=CallRefused("No.")))

    assert (refused["event"], refused["error"]) == ("sessions_not_scanned", "No.")


async def test_control_stops_while_agents_are_still_waited_for(tmp_path: Path) -> None:
    await converse(tmp_path)

    async with asyncio.timeout(10):
        async with control(
            tmp_path, Parts(spawner=Side(connected={"main": False}))
        ) as running:
            assert (await running.client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        ({**GONE, "faults": "x"}, ()),
        ({**GONE, "faults": [5, {}, {"kind": 5}, {"kind": "A b"}]}, ()),
        ({**GONE, "faults": [{"kind": f"k{n}"} for n in range(100)]}, 16),
    ],
)
def test_faults_that_are_told_are_bounded(told: object, kinds: object) -> None:
    found = read_scan(told).kinds

    assert found == kinds or len(found) == kinds
    assert read_scan(None) == ToldScan()
