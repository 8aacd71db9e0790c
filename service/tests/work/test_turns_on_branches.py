# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Turns on branches: the worktree is held while one runs, and given back always."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from control.fakes import FakeEngine, success, wish
from control.running_app import Parts

from agentd.conversations.values import Ask
from agentd.engine.protocol import TurnOutcome
from agentd.errors import (
    AgentdError,
    AgentLost,
    CallRefused,
    CallTimedOut,
    CliFailed,
    EngineBusy,
)
from agentd.work.workdirs import NEVER_SECONDS

from .worktrees import ON_BRANCH, WEB, Json, WorkSpawner, until, working

TURN = "11111111-1111-4111-8111-111111111111"
PLACE = ("main", WEB, "fix/cart")
ENDED: dict[str, object] = {"found": True, "ended": True, "answer": "done alone"}


async def test_a_turn_has_its_worktree_alone_and_gives_it_back(tmp_path: Path) -> None:
    """H03: the CLI is told the branch, and finds the same directory for it."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with working(tmp_path, parts) as running:
        asked = asyncio.ensure_future(running.say("begin", **ON_BRANCH))
        await until(lambda: len(parts.engine.wishes) == 1)
        held = dict(running.spawner.held)
        assert parts.engine.gate is not None
        parts.engine.gate.set()
        answer = await asked
        known = answer["conversation_id"]
        body = (await running.control.client.get(f"/chat/{known}")).json()

    assert held == {PLACE: known}
    assert not running.spawner.held
    assert (parts.engine.wishes[0].repository, parts.engine.wishes[0].branch) == PLACE[
        1:
    ]
    assert (body["repository"], body["branch"], body["issue"]) == (
        "shop/web",
        "fix/cart",
        None,
    )


async def test_a_follow_up_in_a_live_client_fetches_nothing(tmp_path: Path) -> None:
    async with working(tmp_path) as running:
        first = await running.say(**ON_BRANCH)
        known = {"conversation_id": first["conversation_id"]}
        await running.say("more", **known)
        running.control.engine.alive.clear()
        await running.say("still more", **known)
        asked = running.spawner.work_calls("acquire_workdir")

    assert [one["fetch_seconds"] for one in asked] == [0.0, NEVER_SECONDS, 0.0]
    assert [one["live"] for one in asked] == [False, True, False]
    assert {one["holder"] for one in asked} == {first["conversation_id"]}


async def test_without_a_branch_the_agent_is_asked_nothing_more(tmp_path: Path) -> None:
    async with working(tmp_path) as running:
        known = (await running.say(repository="shop/web", issue="7"))["conversation_id"]
        await running.say("more", conversation_id=known)
        names = {name for _agent, name, _given in running.spawner.calls}

    assert names <= {"transcript_state", "probe"}


@pytest.mark.parametrize(
    "step",
    [
        CliFailed("The CLI broke off."),
        ValueError("a fault of ours"),
        TurnOutcome("timeout", None, "Too slow.", None, None, None),
    ],
    ids=str,
)
async def test_a_worktree_is_given_back_however_a_turn_ends(
    tmp_path: Path, step: TurnOutcome | Exception
) -> None:
    """H08."""
    parts = Parts(engine=FakeEngine(script=[step]))
    async with working(tmp_path, parts) as running:
        answer = await running.say(**ON_BRANCH)
        held = dict(running.spawner.held)

    assert answer["status"] != "success"
    assert not held


async def test_a_refused_turn_gives_its_worktree_back(tmp_path: Path) -> None:
    """H08."""
    parts = Parts(engine=FakeEngine(script=[EngineBusy("All clients are in a turn.")]))
    async with working(tmp_path, parts) as running:
        status, _body = await running.post("/chat", message="x", **ON_BRANCH)
        held = dict(running.spawner.held)

    assert (status, held) == (503, {})


@pytest.mark.parametrize("waits_for_it", [False, True])
async def test_a_turn_that_is_broken_off_gives_its_worktree_back(
    tmp_path: Path, waits_for_it: bool
) -> None:
    """H08: also while it still waits for the worktree, which then is made in vain."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=None if waits_for_it else gate)
    spawner = WorkSpawner(gate=gate if waits_for_it else None)
    ask = Ask("x", repository="shop/web", branch="fix/cart", turn_uuid=TURN)
    async with working(tmp_path, Parts(engine=engine, spawner=spawner)) as running:
        turn = await running.control.turns.begin(ask)
        asked = "acquire_workdir"
        await until(lambda: bool(engine.wishes or spawner.work_calls(asked)))
        await running.control.turns.break_off(TURN, "Nobody wants it.")
        answer = await turn.answer()
        await until(lambda: bool(spawner.work_calls("release_workdir")))
        await until(lambda: not spawner.held)

    assert (answer.status, answer.error) == ("error", "Nobody wants it.")
    assert not (waits_for_it and engine.said)


async def test_a_second_conversation_on_a_branch_waits_its_time_and_is_refused(
    tmp_path: Path,
) -> None:
    """H07: with nothing said; the time is the one that is set."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with working(tmp_path, parts, work={"acquire_timeout_seconds": 7}) as running:
        first = asyncio.ensure_future(running.say(**ON_BRANCH))
        await until(lambda: len(parts.engine.wishes) == 1)
        status, refused = await running.post("/chat", message="second", **ON_BRANCH)
        assert parts.engine.gate is not None
        parts.engine.gate.set()
        await first
        again, _body = await running.post("/chat", message="second", **ON_BRANCH)
        asked = running.spawner.work_calls("acquire_workdir")

    assert (status, again) == (409, 200)
    assert "another conversation works there" in refused["error"]
    assert {one["timeout_seconds"] for one in asked} == {7.0}


@pytest.mark.parametrize(
    "error",
    [
        CallRefused("refused", "the forge has no such repository."),
        CallTimedOut("Slow."),
        AgentLost("The connection went away."),
    ],
)
async def test_a_worktree_that_cannot_be_made_fails_the_turn_with_nothing_said(
    tmp_path: Path, error: AgentdError
) -> None:
    """H08: and the next turn of the conversation says all."""
    parts = Parts(spawner=WorkSpawner(work_errors=[error]))
    async with working(tmp_path, parts) as running:
        status, body = await running.post("/chat", message="x", **ON_BRANCH)
        listed = (await running.control.client.get("/chat")).json()["conversations"]
        again = await running.say("x", conversation_id=listed[0]["id"])

    assert (status, again["status"]) == (503, "success")
    assert 'for branch "fix/cart" of "work:shop/web"' in body["error"]
    assert parts.engine.said == ["x"]


async def test_a_turn_that_its_agent_ends_alone_holds_on_until_its_end_is_known(
    tmp_path: Path,
) -> None:
    parts = Parts(
        engine=FakeEngine(script=[AgentLost("The connection went away.")]),
        spawner=WorkSpawner(turn_states=[{"running": True}, ENDED]),
    )
    async with working(tmp_path, parts) as running:
        await running.say(**ON_BRANCH)
        held = dict(running.spawner.held)
        await until(lambda: not running.spawner.held)

    assert list(held) == [PLACE]


async def test_a_late_release_does_not_take_the_worktree_from_the_next_turn(
    tmp_path: Path,
) -> None:
    """H07: both turns are of the same conversation, which holds it by its name."""

    class Slow(WorkSpawner):
        releasing, go, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def _release(self, agent: str, given: dict[str, object]) -> Json:
            self.releasing.set()
            await self.go.wait()
            released = await super()._release(agent, given)
            self.done.set()
            return released

    spawner = Slow(turn_states=[{"running": True}, ENDED])
    engine = FakeEngine(script=[AgentLost("The connection went away.")])
    async with (
        working(tmp_path, Parts(engine=engine, spawner=spawner)) as running,
        asyncio.TaskGroup() as tasks,
    ):
        lost = await running.say(**ON_BRANCH)
        await spawner.releasing.wait()
        engine.gate = asyncio.Event()
        known = {"conversation_id": lost["conversation_id"]}
        tasks.create_task(running.say("go on", **known))
        # It waits, or has begun already: either way the release comes now.
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await until(lambda: len(engine.wishes) == 2)
        spawner.go.set()
        await spawner.done.wait()
        await until(lambda: len(engine.wishes) == 2)
        held = dict(spawner.held)
        engine.gate.set()

    assert held == {PLACE: lost["conversation_id"]}


async def test_a_release_that_fails_is_tried_until_it_is_taken(tmp_path: Path) -> None:
    """H08."""
    errors: list[AgentdError | None] = [None, AgentLost("It went away.")]
    parts = Parts(spawner=WorkSpawner(work_errors=errors))
    async with working(tmp_path, parts) as running:
        answer = await running.say(**ON_BRANCH)
        held = dict(running.spawner.held)
        await until(lambda: not running.spawner.held)

    assert (answer["status"], list(held)) == ("success", [PLACE])


async def test_what_was_found_in_a_worktree_is_told_with_the_answer(
    tmp_path: Path,
) -> None:
    """H06: control takes it for what somebody wrote."""
    notices = ["Work was saved on worktree-recovery/1a2b.\n\x1b[2J", "x" * 10_000]
    async with working(
        tmp_path, Parts(spawner=WorkSpawner(notices=notices))
    ) as running:
        answer = await running.say(**ON_BRANCH)
        running.spawner.notices, running.spawner.path = [], "/elsewhere"
        running.control.engine.alive.clear()
        moved = await running.say(conversation_id=answer["conversation_id"])

    assert answer["notice"].startswith("Work was saved on worktree-recovery/1a2b.")
    assert answer["notice"].isprintable() and len(answer["notice"]) < 1000
    assert '"/elsewhere/fix-cart"' in moved["notice"]


@pytest.mark.parametrize(
    "told", [{}, {"path": 7}, {"path": "relative"}, {"path": "/" + "x" * 5000}], ids=str
)
async def test_an_answer_that_is_none_is_taken_for_a_failure(
    tmp_path: Path, told: dict[str, object]
) -> None:
    class Odd(WorkSpawner):
        async def _acquire(self, agent: str, given: object) -> dict[str, object]:
            return told

    async with working(tmp_path, Parts(spawner=Odd())) as running:
        status, body = await running.post("/chat", message="x", **ON_BRANCH)

    assert status == 503 and "it told no path" in body["error"]


async def test_a_turn_in_another_session_has_the_same_worktree(tmp_path: Path) -> None:
    engine = FakeEngine(script=[replace(success(wish(), "x"), session_id=None)])
    async with working(tmp_path, Parts(engine=engine)) as running:
        first = await running.say(**ON_BRANCH)
        known = {"conversation_id": first["conversation_id"]}
        await running.say("/clear", **known)
        second = await running.say("again", **known)

    assert first["session_id"] != second["session_id"]
    assert [one.branch for one in engine.wishes] == ["fix/cart", "fix/cart"]
