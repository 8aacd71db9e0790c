# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Turns that ran when control went away: what becomes of them at the next start."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agentd.clock import Clock
from agentd.conversations.recovery import GRACE_SECONDS
from agentd.errors import AgentdError, AgentLost, CallRefused, CallTimedOut
from agentd.sessions.turn_state import (
    CUT,
    MAX_ANSWER_CHARACTERS,
    read_turn_state,
    recovered,
)

from .fakes import FakeEngine, FakeSpawner
from .interrupted import ENDED, RUNNING, back, interrupt, last, until_idle
from .running_app import Parts, control


async def test_a_turn_that_was_handed_over_is_found_at_the_next_start(
    tmp_path: Path,
) -> None:
    """E14, E16: with its answer, and the session counts as durable."""
    known = await interrupt(tmp_path)

    async with back(tmp_path, RUNNING, RUNNING, ENDED) as running:
        while_it_runs = (await running.client.get(f"/chat/{known}")).json()
        refused = (await running.say(conversation_id=known)).status_code
        found = await until_idle(running, known)
        message = await last(running, known)
        asked = [
            given
            for _agent, name, given in running.spawner.calls
            if name == "turn_state"
        ]
        after = await running.say(conversation_id=known)

    assert (while_it_runs["status"], refused) == ("running", 409)
    assert (found["message_count"], found["durable"]) == (2, True)
    assert (message["status"], message["content"]) == ("recovered", "the answer")
    assert {"session_id", "message_uuid"} <= set(asked[0])
    assert after.json()["status"] == "success"


@pytest.mark.parametrize(
    ("state", "part"),
    [
        ({"running": False, "found": False}, "before the message reached"),
        ({**ENDED, "ended": False, "answer": None}, "did not bring it to an end"),
        ({**ENDED, "answer": 7}, "did not bring it to an end"),
        (CallRefused("no such call"), "no such call"),
        ({"running": "yes", "found": 1}, "before the message reached"),
    ],
)
async def test_a_turn_without_an_end_is_told_as_an_error(
    tmp_path: Path, state: dict[str, object] | AgentdError, part: str
) -> None:
    """E16: whatever an agent's side tells, the conversation goes on."""
    known = await interrupt(tmp_path)

    async with back(tmp_path, state) as running:
        await until_idle(running, known)
        message = await last(running, known)
        after = await running.say(conversation_id=known)

    assert message["status"] == "error"
    assert part in str(message["content"])
    assert after.status_code == 200


@pytest.mark.parametrize("state", [RUNNING, CallTimedOut("no answer in 10 s")])
async def test_an_agent_that_says_running_for_ever_is_believed_for_its_drain_time(
    tmp_path: Path, state: dict[str, object] | AgentdError
) -> None:
    """G18: nothing answers 409 for ever."""
    went_by = [0.0]
    clock = Clock(monotonic=lambda: went_by[0])
    known = await interrupt(tmp_path)

    async with back(tmp_path, state, clock=clock) as running:
        running.spawner.report["drain_seconds"] = 10**9
        refused = (await running.say(conversation_id=known)).status_code
        went_by[0] = 30.0 + GRACE_SECONDS + 1
        await until_idle(running, known)
        message = await last(running, known)
        after = await running.say(conversation_id=known)

    assert refused == 409
    assert message["status"] == "error"
    assert after.status_code == 200


async def test_an_answer_is_found_though_a_process_of_its_turn_never_ends(
    tmp_path: Path,
) -> None:
    """G18: what is in the transcript is told, and not that it could not be found."""
    went_by = [0.0]
    clock = Clock(monotonic=lambda: went_by[0])
    known = await interrupt(tmp_path)

    async with back(tmp_path, {**ENDED, "running": True}, clock=clock) as running:
        refused = (await running.say(conversation_id=known)).status_code
        went_by[0] = 30.0 + GRACE_SECONDS + 1
        await until_idle(running, known)
        message = await last(running, known)

    assert refused == 409
    assert (message["status"], message["content"]) == ("recovered", "the answer")


async def test_an_agent_that_is_not_there_yet_is_asked_when_it_is(
    tmp_path: Path,
) -> None:
    """E16: until then the conversation is idle, refused with 503, and removable."""
    known = await interrupt(tmp_path)

    async with back(tmp_path, AgentLost("gone"), ENDED, connected=False) as running:
        found = await until_idle(running, known)
        refused = await running.say(conversation_id=known)
        running.spawner.connected["main"] = True
        async with asyncio.timeout(5):
            while (await last(running, known))["status"] != "recovered":
                await asyncio.sleep(0.05)

    assert found["message_count"] == 1
    assert refused.status_code == 503


async def test_a_turn_that_comes_first_finds_out_itself(tmp_path: Path) -> None:
    """E16: nobody has to wait for the round of all interrupted turns."""
    known = await interrupt(tmp_path)

    async with back(tmp_path, ENDED, connected=False) as running:
        running.spawner.connected["main"] = True
        answer = await running.say("next", conversation_id=known)
        path = f"/chat/{known}/messages"
        said = (await running.client.get(path)).json()["messages"]

    assert answer.json()["resumed"] is True
    assert [one["status"] for one in said] == ["said", "recovered", "said", "success"]


async def test_a_conversation_whose_agent_is_gone_can_be_removed(
    tmp_path: Path,
) -> None:
    """E16: DELETE works."""
    known = await interrupt(tmp_path)

    async with back(tmp_path, connected=False) as running:
        removed = (await running.client.delete(f"/chat/{known}")).status_code
    async with back(tmp_path, ENDED) as running:
        await asyncio.sleep(0.2)
        listed = (await running.client.get("/chat")).json()["conversations"]

    assert removed == 204
    assert listed == []


async def test_an_interrupted_turn_is_still_known_after_a_second_start(
    tmp_path: Path,
) -> None:
    """E16: a start that could not ask changes nothing."""
    known = await interrupt(tmp_path)

    async with back(tmp_path, connected=False):
        pass
    async with back(tmp_path, ENDED) as running:
        found = await until_idle(running, known)

    assert found["message_count"] == 2


async def test_a_turn_whose_agent_went_away_is_found_when_it_is_back(
    tmp_path: Path,
) -> None:
    """G18: no second CLI is started in a session while the first one ends its turn."""
    async with back(tmp_path, RUNNING, ENDED) as running:
        running.engine.script.append(AgentLost("The link went away."))
        first = (await running.say("the question")).json()
        known = first["conversation_id"]
        refused = (await running.say(conversation_id=known)).status_code
        await until_idle(running, known)
        path = f"/chat/{known}/messages"
        said = (await running.client.get(path)).json()["messages"]
        after = await running.say(conversation_id=known)

    assert first["status"] == "error"
    assert "among the messages" in first["error"]
    assert refused == 409
    assert [one["status"] for one in said] == ["said", "error", "recovered"]
    assert after.status_code == 200


async def test_a_turn_whose_agent_was_killed_is_told_once(tmp_path: Path) -> None:
    """G18: also over a restart of control, and without a second message."""
    async with back(tmp_path, connected=True) as running:
        running.engine.script.append(AgentLost("The link went away."))
        running.spawner.turn_states = [AgentLost("still away")]
        known = (await running.say("the question")).json()["conversation_id"]
    async with back(tmp_path, {"running": False, "found": False}) as running:
        found = await until_idle(running, known)
        after = await running.say(conversation_id=known)

    assert found["message_count"] == 2
    assert after.status_code == 200


@dataclass
class LiveSpawner(FakeSpawner):
    """An agent that counts the CLI of a live client as one that runs."""

    engine: FakeEngine = field(default_factory=FakeEngine)

    def _turn_state(self) -> dict[str, object]:
        return {**ENDED, "running": bool(self.engine.alive)}


async def test_an_answer_that_could_not_be_stored_is_stored_when_it_can_be(
    tmp_path: Path,
) -> None:
    """The disk of control was full for a while; nothing that was said is lost."""
    engine = FakeEngine()
    parts = Parts(engine=engine, spawner=LiveSpawner(engine=engine))
    async with control(tmp_path, parts) as running:
        known = (await running.say()).json()["conversation_id"]
        gate = running.engine.gate = asyncio.Event()
        request = asyncio.ensure_future(running.say(conversation_id=known))
        while len(running.engine.said) < 2:
            await asyncio.sleep(0.01)
        with closing(sqlite3.connect(tmp_path / "agentd.db")) as other:
            other.execute(
                "CREATE TRIGGER t BEFORE INSERT ON messages BEGIN"
                " SELECT RAISE(FAIL, 'the disk is full'); END"
            )
        gate.set()
        failed = await request
        still = (await running.client.get(f"/chat/{known}")).json()["status"]
        with closing(sqlite3.connect(tmp_path / "agentd.db")) as other:
            other.execute("DROP TRIGGER t")
        await until_idle(running, known)
        message = await last(running, known)

    assert (failed.status_code, still) == (503, "running")
    assert (message["status"], message["content"]) == ("recovered", "the answer")


def test_what_an_agent_tells_is_bounded_and_made_whole() -> None:
    told = {**ENDED, "answer": "\ud800" + "x" * 200_000, "last_uuid": "../x"}

    state = read_turn_state(told)
    end = recovered(read_turn_state({**ENDED, "truncated": True}))

    assert state.answer is not None
    assert len(state.answer) == MAX_ANSWER_CHARACTERS
    assert state.answer.startswith("?")
    assert state.last_uuid is None
    assert end.content == "the answer" + CUT
