# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control reads of transcripts, and puts in their place, at the agent's side."""

from __future__ import annotations

import base64
import json
import os
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from agentd.agent.restore import MAX_DRAFTS, restore_calls
from agentd.agent.settings import parse_agent_settings
from agentd.spawner.dial import CallFailed
from agentd.spawner.frames import FrameKind, encode_json
from agentd.transcripts.key import project_key

SESSION = str(uuid.UUID(int=7))
SUB = "subagents/agent-1.jsonl"


def line(number: int, size: int = 0) -> str:
    return json.dumps(
        {"type": "user", "uuid": str(uuid.UUID(int=number)), "x": "x" * size}
    )


class Side:
    """An agent's directories and the two calls; a CLI runs if ``busy``."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.project = self.work / ".claude" / "projects" / project_key(self.work)
        self.busy = False
        settings = parse_agent_settings(
            {
                "component": "agent",
                "deployment": "demo",
                "agent": "main",
                "working_directory": str(self.work),
                "config_directory": str(self.work / ".claude"),
            }
        )
        self.calls = restore_calls(settings, lambda _session: self.busy)

    @property
    def transcript(self) -> Path:
        return self.project / f"{SESSION}.jsonl"

    async def read(self, **given: object) -> Mapping[str, object]:
        return await self.calls["read_transcript"]({"session_id": SESSION, **given})

    async def write(self, step: str, **given: object) -> Mapping[str, object]:
        named = {"session_id": SESSION, "step": step, **given}
        return await self.calls["write_transcript"](named)

    async def put(self, text: str, **given: object) -> Mapping[str, object]:
        await self.write("begin", **given)
        await self.write("append", data=encoded(text), **given)
        return await self.write("commit", **given)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(answer: Mapping[str, object]) -> str:
    return base64.b64decode(str(answer["data"])).decode()


@pytest.fixture
def side(tmp_path: Path) -> Side:
    (tmp_path / "memory").mkdir()
    return Side(tmp_path / "memory")


async def test_a_transcript_comes_to_an_empty_disk_for_its_owner_alone(
    side: Side,
) -> None:
    await side.put(line(1) + "\n")
    await side.put(line(2) + "\n", path=SUB)

    assert side.transcript.read_text() == line(1) + "\n"
    assert stat.S_IMODE(side.transcript.stat().st_mode) == 0o600
    assert (side.project / SESSION / SUB).read_text() == line(2) + "\n"
    assert {one.name for one in side.project.iterdir()} == {
        SESSION,
        f"{SESSION}.jsonl",
    }


async def test_a_transcript_is_replaced_whole_and_kept_beside_if_told(
    side: Side,
) -> None:
    side.project.mkdir(parents=True)
    side.transcript.write_text("old\n")

    await side.write("begin")
    await side.write("append", data=encoded("new\n"))
    assert side.transcript.read_text() == "old\n"
    answer = await side.write("commit", keep=True)

    assert side.transcript.read_text() == "new\n"
    assert (side.project / str(answer["kept"])).read_text() == "old\n"
    assert not str(answer["kept"]).endswith(".jsonl")


async def test_a_transcript_lies_where_the_session_already_has_one(side: Side) -> None:
    elsewhere = side.project.parent / "-elsewhere"
    elsewhere.mkdir(parents=True)
    (elsewhere / f"{SESSION}.jsonl").write_text("old\n")

    await side.put("new\n")

    assert (elsewhere / f"{SESSION}.jsonl").read_text() == "new\n"
    assert not side.transcript.exists()


async def test_nothing_is_put_in_place_while_a_cli_of_the_session_runs(
    side: Side,
) -> None:
    await side.write("begin")
    side.busy = True

    with pytest.raises(CallFailed, match="a CLI of it runs"):
        await side.write("commit")
    with pytest.raises(CallFailed, match="a CLI of it runs"):
        await side.write("begin")

    assert not side.transcript.exists()


async def test_a_link_in_the_place_of_a_directory_is_not_followed(
    side: Side, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    side.project.parent.mkdir(parents=True)
    side.project.symlink_to(tmp_path / "outside")

    with pytest.raises(CallFailed, match="Cannot write the transcript"):
        await side.write("begin")

    assert list((tmp_path / "outside").iterdir()) == []


async def test_a_link_in_the_place_of_the_transcript_is_replaced_not_followed(
    side: Side, tmp_path: Path
) -> None:
    side.project.mkdir(parents=True)
    (tmp_path / "outside").write_text("safe")
    side.transcript.symlink_to(tmp_path / "outside")

    await side.put("new\n")

    assert (tmp_path / "outside").read_text() == "safe"
    assert not side.transcript.is_symlink()


async def test_a_draft_that_a_killed_side_left_is_begun_anew(side: Side) -> None:
    side.project.mkdir(parents=True)
    side.transcript.write_text("old\n")
    await side.write("begin")
    await side.write("append", data=encoded("half"))
    again = Side(side.work)

    assert side.transcript.read_text() == "old\n"
    await again.put("new\n")

    assert side.transcript.read_text() == "new\n"
    assert list(side.project.iterdir()) == [side.transcript]


@pytest.mark.parametrize(
    "path",
    [
        *("../x.jsonl", "/etc/x.jsonl", "subagents/../../x.jsonl", "x.jsonl"),
        *("subagents/.hidden.jsonl", "subagents/a//b.jsonl", "subagents/a.sh", 7),
        *(f"subagents/{'a' * 200}.jsonl", "subagents/a\n.jsonl"),
    ],
)
async def test_a_path_that_is_none_of_a_sessions_files_is_refused(
    side: Side, path: object
) -> None:
    with pytest.raises(CallFailed, match="path is none"):
        await side.write("begin", path=path)


async def test_drafts_are_bounded_and_the_oldest_is_given_up(side: Side) -> None:
    for number in range(MAX_DRAFTS + 1):
        await side.write("begin", path=f"subagents/agent-{number}.jsonl")

    with pytest.raises(CallFailed, match="was not begun"):
        await side.write("commit", path="subagents/agent-0.jsonl")
    open_files = os.listdir("/proc/self/fd")
    assert len(open_files) < 100


async def test_what_lies_behind_a_line_is_read_in_pieces_that_fit(side: Side) -> None:
    side.project.mkdir(parents=True)
    text = "".join(line(number, 100_000) + "\n" for number in range(1, 8))
    side.transcript.write_text(text)

    first = await side.read(after=str(uuid.UUID(int=2)))
    read = decoded(first)
    place = int(str(first["offset"])) + len(read)
    while place < int(str(first["size"])):
        piece = await side.read(offset=place)
        encode_json(FrameKind.ANSWER, {"id": 1, "result": dict(piece)})
        read += decoded(piece)
        place = int(str(piece["offset"])) + len(decoded(piece))

    assert first["found"] is True
    assert read == "".join(line(number, 100_000) + "\n" for number in range(3, 8))


async def test_a_line_that_is_not_there_is_told_with_the_last_that_is(
    side: Side,
) -> None:
    missing = await side.read(after=str(uuid.UUID(int=9)))
    side.project.mkdir(parents=True)
    side.transcript.write_text(f'{line(1)}\n{{"type": "mode"}}\n{line(2)[:20]}')

    told = await side.read(after=str(uuid.UUID(int=9)))

    assert missing["exists"] is False
    assert (told["exists"], told["found"], told["data"]) == (True, False, "")
    assert told["last_uuid"] == str(uuid.UUID(int=1))


async def test_a_session_of_a_definition_comes_into_the_project_of_its_directory(
    side: Side,
) -> None:
    """P14: else it would go on in the agent's own, once the definition is gone."""
    await side.put(line(1), definition="reviewer")
    with pytest.raises(CallFailed, match="name of one"):
        await side.write("begin", definition="../reviewer")

    project = project_key(side.work / "definitions" / "reviewer")
    (written,) = side.project.parent.glob("*/*.jsonl")
    assert written.parent.name == project
