# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Disk and database brought together, over the agent's side's own calls."""

from __future__ import annotations

import base64
import gc
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from control.fakes import FakeSpawner

from agentd.agent.restore import restore_calls
from agentd.agent.settings import parse_agent_settings
from agentd.conversations import keeping
from agentd.conversations.keeping import BATCH_BYTES, Keeping
from agentd.database.open import Database, open_database
from agentd.engine.mirror_store import Binding
from agentd.errors import CallRefused, StoreRefused
from agentd.spawner.dial import CallFailed
from agentd.transcripts.key import project_key

from .stores import KEY, SESSION, SUB, Bench, entry, line

BINDING = Binding("main", "conv-1", SESSION)


class Side(FakeSpawner):
    """An agent's side in this process: its real calls on a real disk."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        work = directory / "memory"
        work.mkdir()
        settings = parse_agent_settings(
            {
                "component": "agent",
                "deployment": "demo",
                "agent": "main",
                "working_directory": str(work),
                "config_directory": str(work / ".claude"),
            }
        )
        self.busy = False
        self.project = work / ".claude" / "projects" / project_key(work)
        self.table = restore_calls(settings, lambda _session: self.busy)

    @property
    def transcript(self) -> Path:
        return self.project / f"{SESSION}.jsonl"

    def write(self, *lines: bytes) -> None:
        self.project.mkdir(parents=True, exist_ok=True)
        self.transcript.write_bytes(b"".join(lines))

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        self.calls.append((agent, name, parameters))
        try:
            return dict(await self.table[name](parameters))
        except CallFailed as error:
            raise CallRefused(str(error)) from error


class Hostile(FakeSpawner):
    """An agent's side that answers what it likes."""

    def __init__(self, answers: list[dict[str, object]]) -> None:
        super().__init__()
        self.answers = list(answers)

    async def call(self, *_given: Any, **_more: Any) -> dict[str, object]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as opened:
        yield opened


@pytest.fixture
async def bench(database: Database) -> Bench:
    made = Bench(database)
    await made.begin()
    return made


@pytest.fixture
def side(tmp_path: Path) -> Side:
    return Side(tmp_path)


async def stored(bench: Bench) -> list[str]:
    """Return the uuids that are stored, or the types of what has none."""
    found = await bench.store().load(KEY) or []
    return [one.get("uuid", one["type"]) for one in found]


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


def piece(data: bytes, offset: int = 0, size: int = 0) -> dict[str, object]:
    told = base64.b64encode(data).decode()
    return {"exists": True, "found": True, "offset": offset, "size": size, "data": told}


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
