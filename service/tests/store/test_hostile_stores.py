# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What an agent's side answers of its transcripts is bounded and judged."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from sqlalchemy import Connection

from agentd.conversations import keeping
from agentd.conversations.keeping import Keeping
from agentd.database.open import Database
from agentd.database.transcripts import host_of
from agentd.errors import CallRefused, StoreRefused

from .sides import BINDING, Hostile, Side, piece
from .stores import KEY, Bench, entry, line


@pytest.mark.parametrize("data", ["!!", 7, None])
async def test_a_side_that_answers_what_is_no_piece_is_refused(
    bench: Bench, data: object
) -> None:
    told = {"exists": True, "found": True, "data": data, "size": 9}
    with pytest.raises(CallRefused):
        await Keeping(bench.parts(), Hostile([told])).settle(BINDING)


@pytest.mark.parametrize(
    "answers",
    [
        [piece(b"x" * 10, size=2**62)],
        [piece(line(1), size=500), piece(b"", offset=0, size=500)],
        [piece(b"[" * 300_000 + b"\n", size=300_001)],
    ],
)
async def test_what_cannot_be_stored_is_noted_and_stops_no_turn_at_this_host(
    bench: Bench, answers: list[dict[str, object]]
) -> None:
    kept = Keeping(bench.parts(), Hostile(answers))

    await kept.settle(BINDING)

    assert len(bench.failures) == 1
    assert kept.store(BINDING).gap is not None
    with pytest.raises(StoreRefused):
        await kept.store(BINDING).append(KEY, [entry(2)])


async def test_a_file_without_an_end_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MAX_ENTRY_BYTES", 10_000)

    class Endless(Hostile):
        async def call(self, *given: Any, **_more: Any) -> dict[str, object]:
            offset = given[2].get("offset", 0)
            return piece(b"x" * 6000, offset=offset, size=2**50)

    kept = Keeping(bench.parts(), Endless([{}]))
    await kept.settle(BINDING)

    assert "too large" in (kept.store(BINDING).gap or "")


async def test_a_side_that_answers_byte_by_byte_is_given_up_in_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FILL_SECONDS", 0.3)

    class Slow(Hostile):
        async def call(self, *given: Any, **_more: Any) -> dict[str, object]:
            await asyncio.sleep(0.001)
            return piece(b"x", offset=given[2].get("offset", 0), size=2**50)

    kept = Keeping(bench.parts(), Slow([{}]))
    async with asyncio.timeout(5):
        await kept.settle(BINDING)

    assert "in time" in (kept.store(BINDING).gap or "")


async def test_an_entry_whose_uuid_is_none_does_not_stop_the_conversation(
    bench: Bench, side: Side
) -> None:
    """The agent's side is asked for what lies behind the last uuid."""
    kept = Keeping(bench.parts(), side)
    await kept.store(BINDING).append(KEY, [entry(1), {**entry(2), "uuid": "planted"}])
    side.write(line(1), json.dumps({**entry(2), "uuid": "planted"}).encode() + b"\n")

    await kept.settle(BINDING)

    assert kept.store(BINDING).gap is None


async def test_a_transaction_that_stores_entries_keeps_other_hosts_out(
    database: Database, bench: Bench
) -> None:
    """Else a host that stood still in it would store behind those who went on."""
    if not database.shared:
        pytest.skip("one host has the database")
    reached, go_on = threading.Event(), threading.Event()

    def store(connection: Connection) -> str | None:
        _exists, host = host_of(connection, "conv-1")
        reached.set()
        go_on.wait(10)
        return host

    storing = asyncio.ensure_future(database.do(store))
    await asyncio.to_thread(reached.wait, 10)
    moving = asyncio.ensure_future(bench.go_on_at("b"))
    await asyncio.sleep(0.5)
    went_on = moving.done()
    go_on.set()
    await asyncio.gather(storing, moving)

    assert not went_on
