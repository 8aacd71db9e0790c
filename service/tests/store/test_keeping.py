# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Disk and database brought together, over the agent's side's own calls."""

from __future__ import annotations

import gc

import pytest

from agentd.conversations.keeping import BATCH_BYTES, Keeping
from agentd.errors import CallRefused

from .sides import BINDING, Side
from .stores import KEY, SESSION, SUB, Bench, entry, line


async def stored(bench: Bench) -> list[str]:
    """Return the uuids that are stored, or the types of what has none."""
    found = await bench.store().load(KEY) or []
    return [str(one.get("uuid", one["type"])) for one in found]


def uuids(*numbers: int) -> list[str]:
    return [entry(number)["uuid"] for number in numbers]


async def test_an_empty_disk_gets_the_transcript_and_its_sub_agents(
    bench: Bench, side: Side
) -> None:
    big = entry(2, text="é" * BATCH_BYTES)
    await bench.store().append(KEY, [entry(1), big, entry(3)])
    metadata = {"type": "agent_metadata", "agentType": "x"}
    await bench.store().append(
        SUB, [metadata, entry(4), {**metadata, "finished": True}]
    )

    await Keeping(bench.parts(), side).settle(BINDING)

    lines = side.transcript.read_bytes().splitlines()
    assert [len(one) > BATCH_BYTES for one in lines] == [False, True, False]
    beside = side.project / SESSION / "subagents"
    assert (beside / "agent-1.jsonl").read_bytes().count(b"\n") == 1
    assert (beside / "agent-1.meta.json").read_text() == (
        '{"agentType": "x", "finished": true}\n'
    )


async def test_what_the_disk_has_beyond_is_stored_and_nothing_is_written(
    bench: Bench, side: Side
) -> None:
    await bench.store().append(KEY, [entry(1)])
    shape = b'{"type":"api-request-blob","x":1}\n'
    side.write(line(1), shape, line(2), b'{"type":"mode"}\n', line(3), b'{"torn')

    await Keeping(bench.parts(), side).settle(BINDING)

    assert await stored(bench) == [*uuids(1, 2), "mode", *uuids(3)]
    assert {name for _agent, name, _given in side.calls} == {"read_transcript"}


async def test_a_long_tail_is_stored_in_batches(bench: Bench, side: Side) -> None:
    side.write(*(line(number, text="x" * 50_000) for number in range(1, 61)))

    await Keeping(bench.parts(), side).settle(BINDING)

    assert await stored(bench) == uuids(*range(1, 61))


async def test_lines_that_nobody_can_know_again_are_not_stored_each_time(
    bench: Bench, side: Side
) -> None:
    side.write(line(1), b'{"type":"last-prompt"}\n', b'{"type":"cost-state"}\n')
    await bench.store().append(KEY, [entry(1)])

    for _again in range(3):
        await Keeping(bench.parts(), side).settle(BINDING)

    assert await stored(bench) == uuids(1)


async def test_a_disk_that_is_behind_is_replaced(bench: Bench, side: Side) -> None:
    await bench.store().append(KEY, [entry(1), entry(2), entry(3)])
    side.write(line(1), line(2), b'{"type":"mode"}\n', line(3)[:20])

    await Keeping(bench.parts(), side).settle(BINDING)

    assert side.transcript.read_bytes().count(b"\n") == 3
    assert list(side.project.iterdir()) == [side.transcript]


async def test_a_disk_that_parted_is_kept_beside_and_never_lost(
    bench: Bench, side: Side
) -> None:
    await bench.store().append(KEY, [entry(1), entry(2)])
    side.write(line(1), line(7))

    await Keeping(bench.parts(), side).settle(BINDING)

    (kept,) = side.project.glob("*.replaced")
    assert kept.read_bytes() == line(1) + line(7)
    assert side.transcript.read_bytes().count(b"\n") == 2
    assert await stored(bench) == uuids(1, 2)


async def test_a_transcript_that_a_cli_uses_is_not_replaced(
    bench: Bench, side: Side
) -> None:
    await bench.store().append(KEY, [entry(1)])
    side.busy = True

    with pytest.raises(CallRefused, match="a CLI of it runs"):
        await Keeping(bench.parts(), side).settle(BINDING)

    assert not side.transcript.exists()


async def test_a_gap_is_filled_from_the_disk_at_the_end_of_the_turn(
    bench: Bench, side: Side
) -> None:
    kept = Keeping(bench.parts(), side)
    store = kept.store(BINDING)
    await store.append(KEY, [entry(1)])
    store.lose("The database was away.")
    side.write(line(1), line(2), line(3))

    told = await kept.prove(BINDING, entry(3)["uuid"])
    await store.append(KEY, [entry(3), entry(4)])

    assert told is None
    assert await stored(bench) == uuids(1, 2, 3, 4)
    assert kept.store(BINDING) is store


async def test_a_turn_that_cannot_be_stored_is_told_with_its_reason(
    bench: Bench, side: Side
) -> None:
    kept = Keeping(bench.parts(), side)
    side.write(line(1))
    await bench.go_on_at("b")

    told = await kept.prove(BINDING, entry(1)["uuid"])

    assert told is not None
    assert 'went on at host "b"' in told
    assert "not in the database yet" in told
    assert bench.failures != []
    assert await stored(bench) == []


async def test_a_gap_is_known_when_a_client_is_replaced_and_gone_when_it_is_filled(
    bench: Bench, side: Side
) -> None:
    kept = Keeping(bench.parts(), side)
    side.write(line(1))
    await bench.go_on_at("b")
    await kept.prove(BINDING, entry(1)["uuid"])
    gc.collect()

    assert kept.store(BINDING).gap is not None
    await bench.go_on_at("a")
    await kept.prove(BINDING, entry(1)["uuid"])
    assert kept.store(BINDING).gap is None
    assert await stored(bench) == uuids(1)
