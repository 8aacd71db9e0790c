# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The SDK's SessionStore on the database, and the one that is bound to a session."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest
from claude_agent_sdk.testing import run_session_store_conformance

from agentd.clock import Clock
from agentd.database import transcripts
from agentd.database.conversations import remove_conversation
from agentd.database.open import Database, open_database
from agentd.engine import mirror_store
from agentd.engine.mirror_store import DatabaseSessionStore
from agentd.errors import DatabaseFailed, StoreRefused

from .stores import KEY, SESSION, SUB, Bench, entry


async def test_the_store_passes_the_sdks_own_conformance_suite(
    database: Database,
) -> None:
    numbers = itertools.count()

    def fresh() -> DatabaseSessionStore:
        # One agent each: its sessions are its own, also where they share an id.
        return DatabaseSessionStore(database, f"agent-{next(numbers)}", Clock())

    await run_session_store_conformance(fresh)  # type: ignore[arg-type]


async def test_an_entry_with_a_uuid_is_stored_once_however_often_it_comes(
    bench: Bench,
) -> None:
    store = bench.store()

    await store.append(KEY, [entry(1), {"type": "mode"}])
    await store.append(KEY, [entry(1), {"type": "mode"}, entry(2)])

    kinds = [one.get("uuid", one["type"]) for one in await store.load(KEY) or []]
    assert kinds == [entry(1)["uuid"], "mode", "mode", entry(2)["uuid"]]


async def test_two_writers_lose_nothing_and_store_nothing_twice(bench: Bench) -> None:
    first, second = bench.store(), bench.store()

    async def write(store: mirror_store.BoundStore, start: int) -> None:
        for number in range(start, start + 100, 5):
            batch = [entry(one) for one in range(number, number + 10)]
            await store.append(KEY, batch)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write(first, 1))
        tasks.create_task(write(second, 51))

    uuids = [one["uuid"] for one in await first.load(KEY) or []]
    assert sorted(uuids) == sorted(entry(one)["uuid"] for one in range(1, 156))


@pytest.mark.parametrize(
    "key",
    [
        {**KEY, "session_id": "00000000-0000-0000-0000-000000000009"},
        {**KEY, "session_id": "../" + SESSION},
        {"project_key": "x"},
        {**KEY, "subpath": "../../etc/passwd"},
        {**KEY, "subpath": "subagents/../../x"},
        {**KEY, "subpath": "/subagents/agent-1"},
        {**KEY, "subpath": "subagents/" + "a" * 600},
        {**KEY, "subpath": "subagents/a\0b"},
    ],
)
async def test_every_key_but_the_bound_one_is_refused(
    bench: Bench, key: dict[str, str]
) -> None:
    store = bench.store()

    with pytest.raises(StoreRefused):
        await store.load(key)
    with pytest.raises(StoreRefused):
        await store.append(key, [entry(1)])

    assert await bench.store().load(KEY) is None
    assert len(bench.failures) == 1


async def test_the_project_that_the_clis_side_claims_means_nothing(
    bench: Bench,
) -> None:
    await bench.store().append({**KEY, "project_key": "../" * 99}, [entry(1)])
    await bench.store().append({**SUB, "project_key": ""}, [entry(2)])

    assert await bench.store().load(KEY) == [entry(1)]
    assert await bench.store().list_subkeys(KEY) == ["subagents/agent-1"]


async def test_what_cannot_be_json_or_text_of_a_database_is_told_apart(
    bench: Bench,
) -> None:
    odd = entry(1, text="\0 \ud800 \u2028 é", uuid="a\0b")

    await bench.store().append(KEY, [odd])
    with pytest.raises(StoreRefused, match="no JSON"):
        await bench.store().append(KEY, [entry(2, cost=float("nan"))])
    with pytest.raises(StoreRefused, match="no object"):
        await bench.store().append(KEY, ["text"])  # type: ignore[list-item]

    assert await bench.store().load(KEY) == [odd]
    async with bench.database.read() as connection:
        place = bench.store().binding.place
        (stored,) = await transcripts.all_lines(connection, place, "")
    assert "\n" not in stored
    assert json.loads(stored) == odd


async def test_after_one_that_failed_none_is_stored_until_it_was_filled(
    bench: Bench,
) -> None:
    store = bench.store()
    with pytest.raises(StoreRefused):
        await store.append({**KEY, "session_id": "other"}, [entry(1)])

    with pytest.raises(StoreRefused, match="another was named"):
        await store.append(KEY, [entry(2)])
    async with store.filling(fenced=True):
        pass
    await store.append(KEY, [entry(3)])

    assert await store.load(KEY) == [entry(3)]
    assert len(bench.failures) == 1


async def test_a_turn_that_another_host_took_over_stores_nothing_late(
    bench: Bench,
) -> None:
    store = bench.store()
    await store.append(KEY, [entry(1)])
    await bench.go_on_at("b")

    with pytest.raises(StoreRefused, match='went on at host "b"'):
        await store.append(KEY, [entry(2)])

    assert await store.load(KEY) == [entry(1)]


async def test_a_conversation_that_was_removed_gets_no_entries(bench: Bench) -> None:
    with pytest.raises(StoreRefused, match="removed"):
        await bench.store("conv-2").append(KEY, [entry(1)])


async def test_a_session_has_a_size_that_it_cannot_grow_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_store, "MAX_SESSION_BYTES", 1000)
    await bench.store().append(KEY, [entry(1, text="x" * 700)])

    with pytest.raises(StoreRefused, match="session_max_bytes"):
        await bench.store().append(SUB, [entry(2, text="x" * 300)])

    assert await bench.store().load(SUB) is None


async def test_sessions_that_no_conversation_has_are_removed_when_they_are_old(
    bench: Bench,
) -> None:
    await bench.store().append(KEY, [entry(1), entry(2)])

    async with bench.database.read() as connection:
        left = await transcripts.left_transcripts(connection, 10)
    young = await bench.database.do(lambda c: transcripts.remove_old(c, left, 1.0))
    old = await bench.database.do(lambda c: transcripts.remove_old(c, left, 9e9))

    assert left == [("main", SESSION)]
    assert (young, old) == (0, 2)


async def test_all_sessions_of_a_conversation_go_with_it(bench: Bench) -> None:
    """O11."""
    await bench.store().append(KEY, [entry(1)])
    await bench.store().append(SUB, [entry(2)])

    await bench.database.do(lambda c: remove_conversation(c, "conv-1"))

    assert await bench.store().load(KEY) is None
    assert await bench.store().load(SUB) is None


async def test_a_database_that_is_away_is_told_once_and_for_the_whole_turn(
    tmp_path: object,
) -> None:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/agentd.db") as database:
        bench = Bench(database)
        await bench.begin()
        store = bench.store()
        await database.do(
            lambda connection: connection.exec_driver_sql(
                "ALTER TABLE transcript_entries RENAME TO gone"
            )
        )

        with pytest.raises(DatabaseFailed):
            await store.append(KEY, [entry(1)])
        with pytest.raises(StoreRefused, match="Cannot write the database"):
            await store.append(KEY, [entry(2)])

        assert len(bench.failures) == 1
