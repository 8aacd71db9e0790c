# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Texts that are no answer: kept, bounded, and given with the next answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from sqlalchemy import select

from agentd.clock import Clock
from agentd.conversations.outbox import (
    MAX_CHARACTERS,
    MAX_WAITING,
    SWEEP_SECONDS,
    Outbox,
)
from agentd.database.open import Database
from agentd.database.outbound import MAX_UNDELIVERED
from agentd.database.tables import outbound_messages
from agentd.engine.protocol import Outbound
from agentd.errors import DatabaseFailed

from .running_app import Control, Parts, control
from .test_session_life import DAY, Hand


def offer(
    running: Control,
    known: str,
    text: str,
    source: Literal["tool", "background"] = "background",
) -> None:
    assert running.engine.outbound is not None
    running.engine.outbound(Outbound("main", known, text, source))


def on(url: str) -> Parts:
    """Return the parts of a control with that database."""
    return Parts(settings={"database_url": url, "store_sessions": False})


async def given(running: Control, known: str) -> list[str]:
    """Say something; return the texts that came with the answer."""
    answer = (await running.say(conversation_id=known)).json()
    return [one["text"] for one in answer["outbound_messages"]]


async def rows(running: Control) -> list[str]:
    """Return every text that the database has, the oldest first."""
    async with running.service.database.read() as connection:
        found = await connection.execute(
            select(outbound_messages.c.text).order_by(outbound_messages.c.id)
        )
        return list(found.scalars())


async def test_a_text_comes_once_with_the_next_answer_the_oldest_first(
    tmp_path: Path,
    database_url: str,
) -> None:
    async with control(tmp_path, on(database_url)) as running:
        known = (await running.say()).json()["conversation_id"]
        other = (await running.say()).json()["conversation_id"]
        for text in ("one", "two"):
            offer(running, known, text)
        await asyncio.sleep(0.1)
        offer(running, known, "three", "tool")
        foreign = await given(running, other)
        answer = (await running.say(conversation_id=known)).json()
        again = await given(running, known)

    assert foreign == []
    assert [(one["text"], one["sender"]) for one in answer["outbound_messages"]] == [
        ("one", "background"),
        ("two", "background"),
        ("three", "tool"),
    ]
    assert "result" in answer and "one" not in str(answer["result"])
    assert again == []


async def test_a_text_survives_the_end_of_control(tmp_path: Path) -> None:
    async with control(tmp_path) as running:
        known = (await running.say()).json()["conversation_id"]
        offer(running, known, "kept")
        await asyncio.sleep(0.1)
    async with control(tmp_path) as running:
        await asyncio.sleep(0.1)
        texts = await given(running, known)

    assert texts == ["kept"]


async def test_an_agent_that_floods_is_bounded_and_the_turn_goes_on(
    tmp_path: Path,
    database_url: str,
) -> None:
    async with control(tmp_path, on(database_url)) as running:
        known = (await running.say()).json()["conversation_id"]
        for number in range(3 * MAX_WAITING):
            offer(running, known, f"{number} " + "x" * 2 * MAX_CHARACTERS)
        await asyncio.sleep(0.3)
        rounds = []
        while texts := await given(running, known):
            rounds.append(texts)

    told = [text for texts in rounds for text in texts]
    assert len(told) == MAX_UNDELIVERED
    assert len(rounds) > 1
    assert all(len(text) < MAX_CHARACTERS + 10 for text in told)
    assert [text.split()[0] for text in told] == [str(n) for n in range(len(told))]


async def test_a_text_for_a_conversation_that_is_gone_is_dropped(
    tmp_path: Path,
) -> None:
    async with control(tmp_path) as running:
        known = (await running.say()).json()["conversation_id"]
        await running.client.delete(f"/chat/{known}")
        offer(running, known, "late")
        await asyncio.sleep(0.1)
        answer = await running.say()

    assert answer.json()["outbound_messages"] == []


async def test_a_text_waits_for_an_answer_however_long(tmp_path: Path) -> None:
    """I13: undelivered ones are kept."""
    hand = Hand()
    parts = Parts(settings={"outbound_ttl_days": 2.0}, clock=hand.clock())
    async with control(tmp_path, parts) as running:
        known = (await running.say()).json()["conversation_id"]
        offer(running, known, "old")
        await asyncio.sleep(0.1)
    hand.now += 300 * DAY
    async with control(tmp_path, parts) as running:
        await asyncio.sleep(0.1)
        texts = await given(running, known)

    assert texts == ["old"]


async def test_a_text_that_was_delivered_is_removed_after_a_time(
    tmp_path: Path,
) -> None:
    """I13: also while others come so often that nothing seems idle."""
    hand, went_by = Hand(), [0.0]
    clock = Clock(now=lambda: hand.now, monotonic=lambda: went_by[0])
    parts = Parts(settings={"outbound_ttl_days": 2.0}, clock=clock)
    async with control(tmp_path, parts) as running:
        known = (await running.say()).json()["conversation_id"]
        other = (await running.say()).json()["conversation_id"]
        offer(running, known, "old")
        await asyncio.sleep(0.1)
        texts = [await given(running, known)]
        kept = [await rows(running)]
        for days in (1, 2):
            hand.now += days * DAY
            went_by[0] += SWEEP_SECONDS + 1
            offer(running, other, "new")
            await asyncio.sleep(0.2)
            kept.append(await rows(running))

    assert texts == [["old"]]
    assert kept == [["old"], ["old", "new"], ["new", "new"]]


@dataclass
class LockedDatabase:
    """A database that lets no text be stored, once it is told to say so."""

    told: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def do(self, _deed: object) -> Any:
        self.asked += 1
        if self.asked == 1:
            return 0, set()
        await self.told.wait()
        raise DatabaseFailed("The database is locked.")


async def test_a_text_that_could_not_be_stored_is_not_forgotten_by_an_answer() -> None:
    database = LockedDatabase()
    outbox = Outbox(cast(Database, database), Clock(), 2.0)
    task = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    outbox.offer(Outbound("main", "conv-1", "kept", "tool"))
    while database.asked < 2:
        await asyncio.sleep(0.01)
    taken = outbox.take("conv-1")
    assert taken is not None and taken.unstored == ()
    outbox.given(taken, more=False)
    database.told.set()
    await asyncio.sleep(0.05)
    again = outbox.take("conv-1")
    task.cancel()

    assert again is not None
    assert [one.text for one in again.unstored] == ["kept"]
