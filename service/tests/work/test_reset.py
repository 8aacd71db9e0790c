# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""POST /reset: the worktree and the session of an agent's issue are dropped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from control.fakes import FakeEngine
from control.running_app import Parts
from sqlalchemy import update

from agentd.database.conversations import RUNNING
from agentd.database.tables import conversations
from agentd.work.values import Cleaned, Wish
from agentd.workdirs.names import RepositoryName

from .worktrees import WEB, WorkSpawner, until, working

ISSUE = {"repository": "shop/web", "issue": "7"}
RESET: dict[str, object] = {"agent": "main", "repo": "shop/web", "issue": "7"}
BOTH = {"dropped": {"worktree": True, "session": True}}
NONE = {"dropped": {"worktree": False, "session": False}}


async def test_a_reset_drops_the_worktree_and_the_session(tmp_path: Path) -> None:
    """I14: the second time there is nothing; the next turn begins anew."""
    async with working(tmp_path) as running:
        first = await running.say(branch="fix/cart", **ISSUE)
        mail = await running.say(agent="mail", branch="fix/cart", **ISSUE)
        resets = [await running.post("/reset", **RESET) for _time in range(2)]
        trees = set(running.spawner.trees)
        closed = list(running.control.engine.closed)
        second = await running.say("anew", **ISSUE)
        other = await running.say("more", agent="mail", **ISSUE)

    assert resets == [(200, BOTH), (200, NONE)]
    assert trees == {("mail", WEB, "fix/cart")}
    assert first["conversation_id"] in closed
    assert (second["conversation_id"], second["resumed"]) == (
        first["conversation_id"],
        False,
    )
    assert (other["session_id"], other["resumed"]) == (mail["session_id"], True)


async def test_a_session_without_a_branch_is_dropped_alone(tmp_path: Path) -> None:
    """I14: also with the issue as a number, which is how forges count."""
    async with working(tmp_path) as running:
        await running.say(**ISSUE)
        answer = await running.post("/reset", **{**RESET, "issue": 7})

    assert answer == (200, {"dropped": {"worktree": False, "session": True}})


async def test_a_worktree_without_a_conversation_is_dropped_alone(
    tmp_path: Path,
) -> None:
    """I14: its session may have been swept before."""
    spawner = WorkSpawner(trees={("main", WEB, "agentkeep/issue-7")})
    async with working(tmp_path, Parts(spawner=spawner)) as running:
        answer = await running.post("/reset", **RESET)

    assert answer == (200, {"dropped": {"worktree": True, "session": False}})


@pytest.mark.parametrize(
    "body",
    [
        *({name: RESET[name] for name in RESET if name != left} for left in RESET),
        *({**RESET, left: blank} for left in RESET for blank in ("", " \t", None)),
        {**RESET, "issue": True},
        {**RESET, "colour": "red"},
    ],
    ids=str,
)
async def test_a_reset_without_all_three_is_refused(
    tmp_path: Path, body: dict[str, object]
) -> None:
    """I14."""
    async with working(tmp_path) as running:
        await running.say(branch="fix/cart", **ISSUE)
        status, _body = await running.post("/reset", **body)
        trees = set(running.spawner.trees)

    assert (status, len(trees)) == (400, 1)


async def test_nothing_is_dropped_while_a_turn_runs_at_another_host(
    tmp_path: Path, postgres_url: str
) -> None:
    """I14: not the worktree here either, and no clean-up drops more."""
    on = {"database_url": postgres_url, "store_sessions": False}
    async with working(tmp_path, **on) as running:
        await running.say(branch="fix/cart", **ISSUE)
        database = running.control.service.database
        elsewhere = update(conversations).values(status=RUNNING, host="elsewhere")
        await database.do(lambda connection: connection.execute(elsewhere))
        status, _body = await running.post("/reset", **RESET)
        wish = Wish(RepositoryName("work", "shop", "web"), issue="7")
        cleaned = await running.control.service.work.clean(wish)
        trees = set(running.spawner.trees)

    assert (status, trees) == (409, {("main", WEB, "fix/cart")})
    assert cleaned == Cleaned(busy=1)


async def test_nothing_is_dropped_while_a_turn_runs(tmp_path: Path) -> None:
    """I14: neither in the conversation nor, in another one, in the worktree."""
    parts = Parts(engine=FakeEngine(gate=asyncio.Event()))
    async with working(tmp_path, parts) as running:
        asked = asyncio.ensure_future(running.say(branch="fix/cart", **ISSUE))
        await until(lambda: len(parts.engine.wishes) == 1)
        status, body = await running.post("/reset", **RESET)
        assert parts.engine.gate is not None
        parts.engine.gate.set()
        await asked
        running.spawner.used = {("main", WEB, "fix/cart")}
        used, told = await running.post("/reset", **RESET)
        after = await running.say("more", **ISSUE)

    assert (status, used) == (409, 409)
    assert "is in a turn" in body["error"] and "it is in use" in told["error"]
    assert after["resumed"]


async def test_a_reset_without_its_agent_drops_nothing(tmp_path: Path) -> None:
    async with working(tmp_path) as running:
        await running.say(branch="fix/cart", **ISSUE)
        running.spawner.connected["main"] = False
        status, _body = await running.post("/reset", **RESET)
        unknown, _body = await running.post("/reset", **{**RESET, "agent": "nobody"})
        running.spawner.connected["main"] = True
        again = await running.post("/reset", **RESET)

    assert (status, unknown) == (503, 404)
    assert again == (200, BOTH)


async def test_a_reset_needs_the_token(tmp_path: Path) -> None:
    """I15."""
    async with working(tmp_path, Parts(token="s3cret")) as running:
        client = running.control.client
        said = {"message": "x", "branch": "fix/cart", **ISSUE}
        mine = {"Authorization": "Bearer s3cret"}
        await client.post("/chat", json=said, headers=mine)
        refused: list[httpx.Response] = [
            await client.post("/reset", json=RESET, headers=headers)
            for headers in ({}, {"Authorization": "Bearer wrong"})
        ]
        trees = set(running.spawner.trees)
        taken = await client.post("/reset", json=RESET, headers=mine)

    assert [one.status_code for one in refused] == [401, 401]
    assert len(trees) == 1
    assert taken.json() == BOTH
