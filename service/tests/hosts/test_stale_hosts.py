# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A host that stood still, or could not hear, stores nothing over what others did."""

from __future__ import annotations

from dataclasses import replace

import pytest
from control.stored import KEY, message, stored

from agentd.database.claims import (
    Claim,
    begin_turn,
    demand_open,
    end_turn,
    give_back,
    hold,
)
from agentd.database.conversations import IDLE, RUNNING, get_conversation
from agentd.database.hosts import Host, put_host
from agentd.database.interrupted import take_over
from agentd.database.open import Database, open_database
from agentd.errors import ConversationElsewhere

A, B = Claim("a", shared=True), Claim("b", shared=True)
LOST = Host("a", "of-a", started_at=1.0, seen_at=1.0)


async def seen(database: Database) -> tuple[str, str | None, int]:
    async with database.read() as connection:
        found = await get_conversation(connection, KEY.conversation_id)
    assert found is not None
    return found.status, found.host, found.message_count


async def test_a_host_that_is_back_keeps_the_turn_that_it_began(
    database_url: str,
) -> None:
    """Others look at the hosts now and then, and hear of it a moment later."""
    back = replace(LOST, seen_at=9.0)
    async with open_database(database_url) as database:
        await stored(database)
        await database.do(lambda c: put_host(c, back))
        await database.do(lambda c: begin_turn(c, message(1), A))

        assert await database.do(lambda c: take_over(c, "b", [LOST], ["main"])) == []
        assert await seen(database) == (RUNNING, "a", 1)
        assert await database.do(lambda c: take_over(c, "b", [back], ["main"])) != []


async def test_a_hold_that_was_taken_over_is_not_given_back(database_url: str) -> None:
    """Else a third host would begin a turn beside the one that runs."""
    async with open_database(database_url) as database:
        await stored(database, 1)
        held = await database.do(lambda c: hold(c, "conv-1", A))
        assert held is not None
        await database.do(lambda c: take_over(c, "b", [LOST], ["main"]))
        await database.do(lambda c: begin_turn(c, message(2), B))

        await database.do(lambda c: give_back(c, held))

        assert await seen(database) == (RUNNING, "b", 2)


async def test_an_end_that_is_stored_is_not_stored_again(database_url: str) -> None:
    async with open_database(database_url) as database:
        await stored(database)
        await database.do(lambda c: begin_turn(c, message(1), A))
        await database.do(lambda c: demand_open(c, "conv-1", A))
        await database.do(lambda c: end_turn(c, message(2), IDLE, A))

        with pytest.raises(ConversationElsewhere):
            await database.do(lambda c: demand_open(c, "conv-1", A))
