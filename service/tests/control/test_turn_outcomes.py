# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the CLI tells of a turn, and which turn of ours it means."""

from __future__ import annotations

import asyncio

import pytest

from agentd.engine.client import Ended
from agentd.engine.turn import is_answer

from .fakes import FakeClients, wish
from .running_engine import engine_of, say, silent


async def test_is_error_and_not_the_subtype_decides() -> None:
    clients = FakeClients(silent)

    async with engine_of(clients) as engine:
        task = asyncio.ensure_future(say(engine, wish()))
        await asyncio.sleep(0.01)
        clients.made[0].inbox.put_nowait(
            Ended(
                is_error=True,
                result="API Error: 529 overloaded",
                error="API Error: 529 overloaded",
                session_id=None,
            )
        )
        outcome = await task

        assert engine.live("conv-1") is not None

    assert (outcome.status, outcome.result) == ("error", None)
    assert outcome.error == "API Error: 529 overloaded"


async def test_a_turn_that_nobody_asked_for_does_not_answer_ours() -> None:
    clients = FakeClients(silent)

    async with engine_of(clients) as engine:
        task = asyncio.ensure_future(say(engine, wish()))
        await asyncio.sleep(0.01)
        client = clients.made[0]
        client.inbox.put_nowait(
            Ended(False, "background", None, None, answered=("other",))
        )
        client.inbox.put_nowait(Ended(False, "background", None, None, injected=True))
        client.inbox.put_nowait(Ended(False, "ours", None, None))
        outcome = await task

    assert outcome.result == "ours"


@pytest.mark.parametrize(
    ("answered", "injected", "expected"),
    [
        (("id",), False, True),
        (("id",), True, True),
        (("x",), False, False),
        ((), False, False),
        (None, False, True),
        (None, True, False),
    ],
)
def test_the_answer_is_known_by_the_id_of_the_message(
    answered: tuple[str, ...] | None, injected: bool, expected: bool
) -> None:
    ended = Ended(False, None, None, None, answered=answered, injected=injected)

    assert is_answer(ended, "id") is expected
