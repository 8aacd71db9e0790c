# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A conversation is in one turn at a time, at whichever host."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import until
from control.running_app import Control, control
from control.stored import message, stored

from agentd.database.claims import Claim, begin_turn, end_turn, give_back, hold
from agentd.database.conversations import IDLE, RUNNING, get_conversation
from agentd.database.hosts import Host, list_hosts
from agentd.database.interrupted import mark_interrupted, take_over
from agentd.database.open import Database, open_database
from agentd.errors import ConversationBusy, ConversationElsewhere

from .two import parts, two_hosts

A, B = Claim("a", shared=True), Claim("b", shared=True)
LOST = Host("a", "of-a", started_at=1.0, seen_at=1.0)


async def seen(database: Database) -> tuple[str, str | None, int]:
    async with database.read() as connection:
        found = await get_conversation(connection, "conv-1")
    assert found is not None
    return found.status, found.host, found.message_count


async def test_the_second_of_two_hosts_finds_the_conversation_busy(
    database_url: str,
) -> None:
    async with open_database(database_url) as database:
        await stored(database)
        await database.do(lambda c: begin_turn(c, message(1), A))

        with pytest.raises(ConversationBusy):
            await database.do(lambda c: begin_turn(c, message(2), B))
        await database.do(lambda c: end_turn(c, message(2), IDLE, A))
        await database.do(lambda c: begin_turn(c, message(3), B))

        assert await seen(database) == (RUNNING, "b", 3)


async def test_a_turn_that_saw_less_than_was_said_is_not_begun(
    database_url: str,
) -> None:
    """Another host had a turn in between: this one's transcript is too short."""
    stale = Claim("b", shared=True, seen=0)
    async with open_database(database_url) as database:
        await stored(database, 1)

        with pytest.raises(ConversationBusy):
            await database.do(lambda c: begin_turn(c, message(2), stale))

        assert await seen(database) == (IDLE, None, 1)


async def test_of_twenty_that_begin_at_once_one_does(database_url: str) -> None:
    async def begin(database: Database, number: int) -> bool:
        claim = Claim(f"host-{number}", shared=True, seen=0)
        try:
            await database.do(lambda c: begin_turn(c, message(number), claim))
        except ConversationBusy:
            return False
        return True

    async with open_database(database_url) as database:
        await stored(database)
        begun = await asyncio.gather(*(begin(database, n) for n in range(20)))

    assert sum(begun) == 1


async def test_an_end_is_not_stored_where_others_went_on(database_url: str) -> None:
    async with open_database(database_url) as database:
        await stored(database)
        await database.do(lambda c: begin_turn(c, message(1), A))
        taken = await database.do(lambda c: take_over(c, "b", [LOST], ["main"]))

        with pytest.raises(ConversationElsewhere):
            await database.do(lambda c: end_turn(c, message(2), IDLE, A))

        assert [one.lost_host for one in taken] == ["a"]
        assert await seen(database) == ("interrupted", "b", 1)


async def test_a_start_marks_only_what_ran_at_this_host(database_url: str) -> None:
    """O12, for each host."""
    async with open_database(database_url) as database:
        await stored(database)
        await database.do(lambda c: begin_turn(c, message(1), A))

        assert await database.do(lambda c: mark_interrupted(c, "b")) == []
        assert await seen(database) == (RUNNING, "a", 1)
        assert len(await database.do(lambda c: mark_interrupted(c, "a"))) == 1


async def test_what_is_held_is_busy_and_comes_back_as_it_was(database_url: str) -> None:
    async with open_database(database_url) as database:
        await stored(database, 1)
        held = await database.do(lambda c: hold(c, "conv-1", A))
        assert held is not None

        with pytest.raises(ConversationBusy):
            await database.do(lambda c: begin_turn(c, message(2), B))
        await database.do(lambda c: give_back(c, held))

        assert await seen(database) == (IDLE, None, 1)


async def test_a_conversation_goes_on_at_the_other_host(
    postgres_url: str, tmp_path: Path
) -> None:
    async with two_hosts(postgres_url, tmp_path) as (a, b):
        first = (await a.say("one")).json()
        second = (await b.say("two", conversation_id=first["conversation_id"])).json()
        third = (await a.say("three", conversation_id=first["conversation_id"])).json()

    assert [one["status"] for one in (first, second, third)] == ["success"] * 3
    assert first["session_id"] == third["session_id"]


async def test_what_runs_at_one_host_is_refused_at_the_other(
    postgres_url: str, tmp_path: Path
) -> None:
    async with two_hosts(postgres_url, tmp_path) as (a, b):
        named = (await a.say("one")).json()["conversation_id"]
        a.engine.gate = asyncio.Event()
        running = asyncio.ensure_future(a.say("two", conversation_id=named))
        await until(lambda: len(a.engine.said) == 2)

        refused = [
            await b.say("three", conversation_id=named),
            await b.say("/clear", conversation_id=named),
            await b.client.delete(f"/chat/{named}"),
        ]
        a.engine.gate.set()
        answer = (await running).json()
        after = await b.say("four", conversation_id=named)

    assert [one.status_code for one in refused] == [409] * 3, [r.text for r in refused]
    assert refused[0].json()["conversation_id"] == named
    assert answer["status"] == after.json()["status"] == "success"


async def test_of_two_that_ask_about_an_issue_at_once_none_is_lost(
    postgres_url: str, tmp_path: Path
) -> None:
    """The other is told to try again, and then finds the same conversation."""

    async def ask(host: Control) -> int:
        return (await host.say(repository="a/b", issue="7")).status_code

    async with two_hosts(postgres_url, tmp_path) as (a, b):
        codes = await asyncio.gather(
            *(ask(host) for host in (a, b) for _number in range(3))
        )
        listed = (await a.client.get("/chat")).json()["conversations"]

    assert set(codes) <= {200, 409}
    assert 200 in codes
    assert len(listed) == 1


async def test_a_turn_of_a_lost_host_is_settled_and_the_next_goes_on_here(
    postgres_url: str, tmp_path: Path
) -> None:
    """O12: it never stays running."""
    async with control(tmp_path, parts(postgres_url, "b")) as b:
        async with control(tmp_path, parts(postgres_url, "a")) as a:
            named = (await a.say("one")).json()["conversation_id"]
        async with open_database(postgres_url) as database:
            asked = replace(message(7), conversation_id=named)
            await database.do(lambda c: begin_turn(c, asked, A))
        early = await b.say("too early", conversation_id=named)

        async with asyncio.timeout(20):
            while (await b.client.get(f"/chat/{named}")).json()["status"] != IDLE:
                await asyncio.sleep(0.1)
        after = await b.say("two", conversation_id=named)
        said = (await b.client.get(f"/chat/{named}/messages")).json()["messages"]

    assert early.status_code == 409
    assert after.json()["status"] == "success"
    assert 'host "a" was lost' in said[-3]["content"]


async def test_an_answer_that_comes_after_others_went_on_is_told_as_such(
    postgres_url: str, tmp_path: Path
) -> None:
    """The host was cut off for longer than others wait for it."""
    async with two_hosts(postgres_url, tmp_path) as (a, _b):
        named = (await a.say("one")).json()["conversation_id"]
        a.engine.gate = asyncio.Event()
        running = asyncio.ensure_future(a.say("two", conversation_id=named))
        await until(lambda: len(a.engine.said) == 2)
        async with open_database(postgres_url) as database:
            await database.do(
                lambda c: take_over(c, "b", [list_hosts(c)["a"]], ["main"])
            )
        a.engine.gate.set()
        answer = await running
        said = (await a.client.get(f"/chat/{named}/messages")).json()["messages"]

    assert answer.status_code == 409
    assert "went on without it" in answer.json()["error"]
    assert len(said) == 3
