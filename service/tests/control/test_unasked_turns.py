# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Turns that nobody asked for, and turns that are left to the agent's side."""

from __future__ import annotations

import asyncio
import json

import pytest
from claude_agent_sdk._internal.message_parser import parse_message

from agentd.engine.claude import translate
from agentd.engine.client import Began, Ended, Said, Taken
from agentd.engine.lines import parse_line
from agentd.engine.protocol import Chunk, Outbound, TurnEvent, TurnOutcome
from agentd.errors import Draining, TurnHandedOver
from agentd.sessions.identity import new_session_id

from .fakes import LAST_UUID, FakeClient, FakeClients, wish
from .running_engine import engine_of, say, silent

OTHER_UUID = "44444444-4444-4444-8444-444444444444"


def unasked(client: FakeClient, text: str = "The build is done.") -> None:
    """Let the CLI begin a turn that nobody asked for."""
    client.inbox.put_nowait(Began(client.wish.session_id, "injected"))
    client.inbox.put_nowait(Chunk(text))
    client.inbox.put_nowait(Said(uuid=OTHER_UUID, model="injected", text=text))


def unasked_end(client: FakeClient, text: str, is_error: bool = False) -> None:
    client.inbox.put_nowait(
        Ended(is_error, text, None, client.wish.session_id, injected=True)
    )


async def test_what_nobody_asked_for_is_kept_as_background() -> None:
    kept: list[Outbound] = []
    clients = FakeClients()

    async with engine_of(clients) as engine:
        engine.listen(kept.append)
        await say(engine, wish("c"))
        unasked(clients.made[0])
        unasked_end(clients.made[0], "The build is done.")
        unasked_end(clients.made[0], "It broke.", is_error=True)
        unasked_end(clients.made[0], " \n")
        await asyncio.sleep(0.01)

    assert kept == [Outbound("main", "c", "The build is done.", "background")]


@pytest.mark.parametrize("tells_taken", [True, False])
async def test_it_is_never_mixed_into_the_next_turn(tells_taken: bool) -> None:
    kept: list[Outbound] = []
    heard: list[TurnEvent] = []
    clients = FakeClients()

    async with engine_of(clients) as engine:
        engine.listen(kept.append)
        await say(engine, wanted := wish("c"))
        client = clients.made[0]
        client.answers = False
        unasked(client)
        await asyncio.sleep(0.01)
        uuid = new_session_id()
        turn = asyncio.ensure_future(
            engine.turn(
                wanted, "hi", heard.append, timeout_seconds=5, message_uuid=uuid
            )
        )
        await asyncio.sleep(0.01)
        client.inbox.put_nowait(Chunk("more of the background"))
        unasked_end(client, "The build is done.")
        if tells_taken:
            client.inbox.put_nowait(Taken(uuid))
        client.answer("hi", uuid)
        outcome = await turn

    assert heard == [Chunk("echo hi")]
    assert (outcome.result, outcome.last_message_uuid) == ("echo hi", LAST_UUID)
    assert outcome.model == "fake"
    assert [one.text for one in kept] == ["The build is done."]


async def test_a_background_turn_that_begins_after_the_message_is_told_apart() -> None:
    heard: list[TurnEvent] = []
    clients = FakeClients()

    async with engine_of(clients) as engine:
        first, second = new_session_id(), new_session_id()
        wanted = wish("c")
        clients.prepare = lambda client: client.inbox.put_nowait(Taken(first))
        await engine.turn(
            wanted, "1", heard.append, timeout_seconds=5, message_uuid=first
        )
        client = clients.made[0]
        client.answers = False
        heard.clear()
        turn = asyncio.ensure_future(
            engine.turn(
                wanted, "2", heard.append, timeout_seconds=5, message_uuid=second
            )
        )
        await asyncio.sleep(0.01)
        unasked(client)
        unasked_end(client, "The build is done.")
        client.inbox.put_nowait(Taken(second))
        client.answer("2", second)
        outcome = await turn

    assert heard == [Chunk("echo 2")]
    assert outcome.last_message_uuid == LAST_UUID


@pytest.mark.parametrize(
    ("spent", "cost"),
    [
        ({"a": {"costUSD": 0.25}, "b": {"costUSD": 1}}, 1.25),
        ({"a": {"costUSD": "much"}, "b": 7}, 0.0),
        ({"a": {"costUSD": -5}}, None),
        ({"a": {"costUSD": 1e300}}, None),
        ([1], None),
        (None, None),
    ],
)
def test_a_turns_cost_is_its_own_and_not_the_sum_of_its_session(
    spent: object, cost: float | None
) -> None:
    line = {
        "type": "result",
        "subtype": "success",
        "duration_ms": 1,
        "duration_api_ms": 1,
        "is_error": False,
        "num_turns": 1,
        "session_id": OTHER_UUID,
        "total_cost_usd": 99.0,
        "model_usage_since_last_result": spent,
    }
    read = parse_line(json.dumps(line).encode())
    assert read is not None
    parsed = parse_message(read)
    assert parsed is not None

    (ended,) = translate(parsed)

    assert isinstance(ended, Ended)
    assert ended.cost_usd == cost


async def test_the_skills_that_the_cli_reports_come_with_the_outcome() -> None:
    clients = FakeClients(silent)

    async with engine_of(clients) as engine:
        turn = asyncio.ensure_future(say(engine, wish("c")))
        await asyncio.sleep(0.01)
        client = clients.made[0]
        client.inbox.put_nowait(Began(None, "m", ("one", "two")))
        client.answer("hi", client.said[-1])
        outcome: TurnOutcome = await turn

    assert outcome.skills == ("one", "two")


async def test_a_running_turn_is_handed_over_without_an_interrupt() -> None:
    clients = FakeClients(silent)

    async with engine_of(clients) as engine:
        running = asyncio.ensure_future(say(engine, wish("a")))
        await asyncio.sleep(0.01)
        clients.prepare = None
        await say(engine, wish("b"))

        count = await engine.hand_over()

        with pytest.raises(TurnHandedOver, match="alone"):
            await running
        with pytest.raises(Draining):
            await say(engine, wish("c"))
        assert not engine.has_room("main", "c")

    assert count == 1
    for client in clients.made:
        assert "interrupt" not in client.names()
        assert client.names()[-2:] == ["abandon", "disconnect"]


async def test_a_turn_whose_client_still_starts_is_not_handed_over() -> None:
    def stuck(client: FakeClient) -> None:
        client.connecting = asyncio.Event()

    async with engine_of(FakeClients(stuck)) as engine:
        starting = asyncio.ensure_future(say(engine, wish("a")))
        await asyncio.sleep(0.01)

        count = await engine.hand_over()

        with pytest.raises(Draining, match="Nothing was said"):
            await starting

    assert count == 0
