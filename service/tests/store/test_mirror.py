# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the CLI writes to its transcript on its way to the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from control.test_claude import ANSWERED, Process, Starts

from agentd.engine.bounds import AgentBounds
from agentd.engine.lines import MAX_LINE_BYTES, MAX_OPENINGS
from agentd.engine.mirror import MAX_PENDING_BYTES, MAX_PENDING_ENTRIES, Mirror
from agentd.engine.mirror_entries import entry_of_line, key_of_path
from agentd.engine.transport import CliTransport
from agentd.errors import StoreRefused
from agentd.spawner.protocol import CliStart

from .stores import SESSION, entry, line

FILE = f"/data/memory/.claude/projects/-data-memory/{SESSION}.jsonl"
RESULT = b'{"type":"result","subtype":"success"}\n'


@dataclass
class KeptStore:
    """A store that keeps what it is given; it may be slow, or refuse."""

    kept: list[tuple[Mapping[str, str], list[dict[str, Any]]]] = field(
        default_factory=list
    )
    lost: list[str] = field(default_factory=list)
    refuses: bool = False
    gate: asyncio.Event | None = None

    async def append(
        self, key: Mapping[str, str], entries: Sequence[dict[str, Any]]
    ) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.refuses:
            raise StoreRefused("No.")
        self.kept.append((key, list(entries)))

    def lose(self, reason: str) -> None:
        self.lost.append(reason)


def frame(*entries: object, path: object = FILE) -> bytes:
    """Return the line in which the CLI tells of these entries."""
    told = {"type": "transcript_mirror", "filePath": path, "entries": list(entries)}
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def transport(store: KeptStore, *chunks: bytes) -> CliTransport:
    start = CliStart(SESSION, resume=False, mirror=True)
    made = CliTransport(Starts(Process([ANSWERED, *chunks])), "main", start)
    made.keep(Mirror(store))
    return made


async def heard(made: CliTransport) -> list[str]:
    await made.connect()
    return [message["type"] async for message in made.read_messages()]


async def test_entries_are_stored_before_the_end_of_the_turn_is_told() -> None:
    store = KeptStore()
    made = transport(store, frame(entry(1)), frame(entry(2), {"type": "mode"}), RESULT)
    await made.connect()

    async for message in made.read_messages():
        if message["type"] == "result":
            break

    ((key, entries),) = store.kept
    assert key["session_id"] == SESSION
    assert entries == [entry(1), entry(2), {"type": "mode"}]


async def test_no_frame_of_the_mirror_reaches_the_sdk() -> None:
    with_store = await heard(transport(KeptStore(), frame(entry(1)), RESULT))
    without = CliTransport(
        Starts(Process([ANSWERED, frame(entry(1)), RESULT])),
        "main",
        CliStart(SESSION, resume=False),
    )

    assert with_store == ["control_response", "result"]
    assert await heard(without) == ["control_response", "result"]


async def test_each_file_is_stored_with_its_own_key() -> None:
    store = KeptStore()
    beside = FILE.replace(".jsonl", "/subagents/agent-1.jsonl")

    await heard(transport(store, frame(entry(1)), frame(entry(2), path=beside), RESULT))

    assert [key.get("subpath") for key, _entries in store.kept] == [
        None,
        "subagents/agent-1",
    ]


@pytest.mark.parametrize(
    "path",
    [
        *("x", "", None, 7, f"/data/{SESSION}.jsonl", FILE + "/x", "a" * 5000),
        FILE.replace(".jsonl", "/subagents/../../../x.jsonl"),
        FILE.replace(SESSION, "../" + SESSION),
        FILE.replace(".jsonl", "/subagents/.jsonl"),
    ],
)
async def test_a_path_that_names_no_transcript_is_told_and_not_stored(
    path: object,
) -> None:
    store = KeptStore()

    await heard(transport(store, frame(entry(1), path=path), RESULT))

    assert (store.kept, len(store.lost)) == ([], 1)


def test_another_sessions_path_keeps_its_session_so_that_the_store_refuses() -> None:
    other = FILE.replace(SESSION, "11111111-1111-4111-8111-111111111111")

    assert key_of_path(other).session_id != SESSION


async def test_a_frame_that_is_too_long_or_dense_is_told_and_ends_no_client() -> None:
    store = KeptStore()
    long = frame(entry(1, text="x" * (MAX_LINE_BYTES + 1)))
    pieces = [long[i : i + 65536] for i in range(0, len(long), 65536)]
    dense = frame(entry(2, values=[[]] * (MAX_OPENINGS + 1)))

    told = await heard(transport(store, *pieces, dense, frame(entry(3)), RESULT))

    assert told == ["control_response", "result"]
    assert len(store.lost) == 2
    assert [entries for _key, entries in store.kept] == [[entry(3)]]


async def test_who_writes_faster_than_is_stored_is_not_read() -> None:
    store = KeptStore(gate=asyncio.Event())
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        yield ANSWERED
        for number in range(100):
            read += 1
            yield frame(entry(number, text="x" * 100_000))
        yield RESULT

    process = Process([])
    process.stdout = chunks  # type: ignore[method-assign]
    made = CliTransport(Starts(process), "main", CliStart(SESSION, resume=False))
    made.keep(Mirror(store))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(heard(made))
        await asyncio.sleep(0.1)
        stood = read
        assert store.gate is not None
        store.gate.set()

    assert stood * 100_000 < 2 * MAX_PENDING_BYTES
    assert task.result()[-1] == "result"
    assert sum(len(entries) for _key, entries in store.kept) == 100


async def test_many_short_entries_are_stored_a_few_at_a_time_and_paced() -> None:
    store = KeptStore()
    made = transport(store, frame(*({"type": "x"} for _n in range(30_000))), RESULT)
    made.serve(None, AgentBounds("main"))
    began = asyncio.get_running_loop().time()

    await heard(made)

    assert {len(entries) for _key, entries in store.kept} == {MAX_PENDING_ENTRIES}
    assert asyncio.get_running_loop().time() - began > 2


async def test_a_store_that_refuses_ends_no_turn_and_is_known_not_to_hold() -> None:
    store = KeptStore(refuses=True)
    mirror = Mirror(store)

    await mirror.take(10, json.loads(frame(entry(1))))
    await mirror.flush()
    store.refuses = False
    await mirror.take(10, json.loads(frame(entry(2))))
    await mirror.flush()

    assert not mirror.holds(entry(1)["uuid"])
    assert mirror.holds(entry(2)["uuid"])


async def test_what_was_not_stored_yet_is_stored_at_the_end() -> None:
    store = KeptStore()
    made = transport(store, frame(entry(1)))
    await heard(made)

    await made.close()

    assert [entries for _key, entries in store.kept] == [[entry(1)]]


def test_a_line_of_the_file_is_stored_as_it_is_or_left_out() -> None:
    kept = entry_of_line(line(1).rstrip(b"\n"))

    assert kept is not None
    assert (kept.uuid, kept.entry) == (entry(1)["uuid"], line(1).decode().rstrip())
    for skipped in (b"", b"{", b"[]", b'{"type":"api-request-blob"}', b'"\xff"'):
        assert entry_of_line(skipped) is None
    with pytest.raises(StoreRefused, match="too large"):
        entry_of_line(b"[" * (MAX_OPENINGS + 1))
