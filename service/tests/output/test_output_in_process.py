# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Live output that is kept in the process."""

from __future__ import annotations

import asyncio

from agentd.clock import Clock
from agentd.output.held import MAX_CHARACTERS, MAX_EVENTS, MAX_TASKS, Held
from agentd.output.in_process import InProcessOutput
from agentd.output.pieces import MAX_CHARACTERS as MAX_PIECE
from agentd.output.pieces import Said, piece_of
from agentd.output.protocol import Output, OutputEvent

from .reading import PATIENCE, read_all


def in_memory(ttl_seconds: float = 3600, clock: Clock | None = None) -> InProcessOutput:
    return InProcessOutput(ttl_seconds, clock or Clock())


async def test_whoever_joins_late_gets_all_from_the_beginning() -> None:
    async with in_memory() as output:
        output.say("one", "chunk", {"text": "mango"})
        output.say("one", "tool_use", {"name": "Bash", "input": {"command": "ls"}})
        output.end("one", {"status": "completed"})
        found = await read_all(output)

    assert [(one.event, one.data) for one in found] == [
        ("chunk", {"text": "mango"}),
        ("tool_use", {"name": "Bash", "input": {"command": "ls"}}),
        ("end", {"status": "completed"}),
    ]


async def test_whoever_comes_back_gets_what_is_behind_the_last_event() -> None:
    async with in_memory() as output:
        output.say("one", "started", {})
        output.say("one", "chunk", {"text": "mango"})
        output.end("one", {})
        first = await read_all(output)
        again = await read_all(output, after=first[0].id)

    assert again == first[1:]


async def test_words_that_follow_each_other_are_joined() -> None:
    async with in_memory() as output:
        for word in ("one ", "two ", "three"):
            output.say("one", "chunk", {"text": word})
        output.say("one", "thinking", {"text": "hm"})
        output.say("one", "chunk", {"text": "four"})
        output.end("one", {})
        found = await read_all(output)

    assert [one.data.get("text") for one in found[:3]] == [
        "one two three",
        *("hm", "four"),
    ]


async def test_several_readers_follow_a_task_while_it_runs() -> None:
    async with in_memory() as output, asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(read_all(output)) for _reader in range(3)]
        await asyncio.sleep(PATIENCE)
        output.say("one", "chunk", {"text": "now"})
        output.end("one", {})

    assert [[one.event for one in read.result()] for read in reads] == [
        ["chunk", "end"]
    ] * 3


async def test_a_flood_is_bounded_and_its_gap_is_told() -> None:
    async with in_memory() as output:
        for number in range(MAX_EVENTS + 50):
            output.say("one", "note", {"number": number})
        output.end("one", {})
        found = await read_all(output)

    assert (found[0].event, found[0].data) == ("gap", {"missing": 51})
    assert [one.data["number"] for one in found[1:3]] == [51, 52]
    assert len(found) == MAX_EVENTS + 1


def test_long_output_is_bounded_in_characters() -> None:
    held = Held()

    for _number in range(500):
        held.say("one", "chunk", {"text": "x" * 10_000}, 1.0)
    held.take_changed()

    ring = held.ring("one")
    assert ring is not None
    assert MAX_CHARACTERS / 2 < ring.characters <= MAX_CHARACTERS


def test_the_oldest_tasks_make_room_and_ended_ones_first() -> None:
    held = Held()
    for number in range(MAX_TASKS):
        held.say(f"task-{number}", "note", {}, float(number))
    held.end("task-7")

    held.say("another", "note", {}, 1000.0)
    held.take_changed()

    assert held.ring("task-7") is None
    assert held.ring("task-0") is not None
    assert len(held) == MAX_TASKS


async def test_output_is_forgotten_after_its_time() -> None:
    """O10: nothing of a task's output stays longer than output_ttl_seconds."""
    held = Held()
    held.say("old", "note", {}, 100.0)
    held.say("new", "note", {}, 200.0)

    held.forget_older(150.0)

    assert (held.ring("old"), len(held)) == (None, 1)


async def test_readers_come_to_an_end_when_the_service_stops() -> None:
    async def read(output: Output) -> list[OutputEvent | None]:
        return [event async for event in output.read("one", None, 600)]

    async with asyncio.TaskGroup() as tasks, in_memory() as output:
        reading = tasks.create_task(read(output))
        await asyncio.sleep(PATIENCE)
        output.dismiss()

    assert reading.result() == [None]


def test_what_cannot_be_told_is_left_out_and_named() -> None:
    endless: dict[str, object] = {}
    endless["itself"] = endless

    piece = piece_of(
        "tool_use",
        {"name": "Bash", "input": endless, "size": float("nan"), "text": object()},
    )

    assert piece.data == '{"name": "Bash", "left_out": ["input", "size", "text"]}'


def test_no_piece_is_longer_than_told_whatever_the_words() -> None:
    said = Said()

    pieces = [
        *said.add("chunk", {"text": "\N{MANGO}" * 50_000}),
        *said.add("tool_use", {"name": "Bash", "input": "x" * 1_000_000}),
        *said.rest(),
    ]

    assert max(len(piece.data) for piece in pieces) <= MAX_PIECE
    assert sum(piece.data.count("d83e") for piece in pieces) == 50_000
    assert pieces[-1].data == '{"name": "Bash", "left_out": ["input"]}'
