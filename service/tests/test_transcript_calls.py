# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What control may ask about transcripts: refused, bounded, one at a time."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from concurrent.futures import Future
from pathlib import Path

import pytest
from damaged_transcripts import DAMAGES, SESSION, transcript

from agentd.agent import transcript_calls as calls_module
from agentd.agent.settings import parse_agent_settings
from agentd.agent.transcript_calls import transcript_calls, wait_for
from agentd.spawner.dial import CallFailed
from agentd.spawner.frames import HEADER_BYTES, FrameKind, decode_json, encode_json
from agentd.transcripts.repair import RepairRefused


class Runs:
    """Says whether a CLI runs; from a given question on, one does."""

    def __init__(self, start_at: int | None = None) -> None:
        self.asked = 0
        self._start_at = start_at

    def __call__(self, _session_id: str) -> bool:
        """Answer the next question."""
        self.asked += 1
        return self._start_at is not None and self.asked >= self._start_at


class Side:
    """An agent's directories, and the calls about its transcripts."""

    def __init__(self, memory: Path) -> None:
        self.runs = Runs()
        self._settings = parse_agent_settings(
            {
                "component": "agent",
                "deployment": "test",
                "agent": "main",
                "working_directory": str(memory),
                # G14: nothing knows the configuration's usual place.
                "config_directory": str(memory / "elsewhere"),
            }
        )
        self.project = memory / "elsewhere" / "projects" / "p"
        self.project.mkdir(parents=True)

    def put(self, content: bytes, session: str = SESSION) -> Path:
        """Write a session's transcript."""
        file = self.project / f"{session}.jsonl"
        file.write_bytes(content)
        return file

    async def call(self, name: str, **parameters: object) -> dict[str, object]:
        """Call as control does."""
        calls = transcript_calls(self._settings, self.runs)
        return dict(await calls[name](parameters))


@pytest.fixture
def side(tmp_path: Path) -> Side:
    """An agent whose CLI does not run."""
    return Side(tmp_path)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("scan_transcripts", {}),
        ("scan_transcripts", {"session_ids": SESSION}),
        ("scan_transcripts", {"session_ids": ["../../etc/passwd"]}),
        ("scan_transcripts", {"session_ids": [5]}),
        (
            "scan_transcripts",
            {"session_ids": [str(uuid.uuid4()) for _unused in range(101)]},
        ),
        ("repair_transcript", {}),
        ("repair_transcript", {"session_id": "../x"}),
        ("list_transcripts", {"after": "x"}),
        ("list_transcripts", {"limit": 0}),
        ("list_transcripts", {"limit": True}),
        ("turn_state", {"session_id": SESSION}),
        ("turn_state", {"session_id": SESSION, "message_uuid": "x"}),
    ],
)
async def test_what_is_not_asked_for_rightly_is_refused(
    side: Side, name: str, parameters: dict[str, object]
) -> None:
    with pytest.raises(CallFailed):
        await side.call(name, **parameters)


async def test_sessions_are_scanned_with_all_that_control_needs(side: Side) -> None:
    # G09, G21, L20: what is resumable, and what is not and why.
    content = b"".join(transcript())
    file = side.put(content)
    other = str(uuid.uuid4())

    answer = await side.call("scan_transcripts", session_ids=[SESSION, other])

    assert answer["left"] == []
    sessions = answer["sessions"]
    assert isinstance(sessions, dict)
    assert sessions[SESSION] == {
        "verdict": "sound",
        "resumable": True,
        "faults": [],
        "bytes": len(content),
        "lines": len(transcript()),
        "path": str(file),
        "copies": 1,
        "running": False,
    }
    assert sessions[other]["verdict"] == "missing"
    assert sessions[other]["resumable"] is False


async def test_the_worst_that_a_hundred_sessions_can_be_fits_into_a_frame(
    side: Side,
) -> None:
    side.project = side.project.with_name('"' * 200)
    side.project.mkdir()
    faulty = b"".join(damage.deed(transcript()) for damage in DAMAGES)
    asked = [str(uuid.UUID(int=number)) for number in range(100)]
    for one in asked:
        side.put(faulty.replace(SESSION.encode(), one.encode()), one)

    answer = await side.call("scan_transcripts", session_ids=asked)
    frame = encode_json(FrameKind.ANSWER, {"id": 1, "result": answer})

    assert len(decode_json(frame[HEADER_BYTES:])) == 2


async def test_what_there_is_no_time_for_is_left_to_be_asked_again(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_module, "SCAN_SECONDS", 0.0)
    asked = [str(uuid.uuid4()) for _unused in range(3)]

    answer = await side.call("scan_transcripts", session_ids=asked)

    assert answer["left"] == asked[1:]


async def test_a_repair_says_what_was_wrong_and_where_the_damaged_one_is(
    side: Side,
) -> None:
    file = side.put(b"".join(transcript())[:-1])

    answer = await side.call("repair_transcript", session_id=SESSION)

    kept = str(answer.pop("kept"))
    assert Path(kept).parent == file.parent
    assert answer == {
        "repaired": True,
        "verdict": "sound",
        "faults": [{"kind": "no_final_newline", "count": 1, "first_line": 13}],
    }


@pytest.mark.parametrize("question", [1, 2])
async def test_a_repair_is_refused_while_a_cli_runs_or_when_one_starts(
    side: Side, question: int
) -> None:
    file = side.put(b"".join(transcript())[:-1])
    side.runs = Runs(start_at=question)

    with pytest.raises(CallFailed, match="a CLI of it runs"):
        await side.call("repair_transcript", session_id=SESSION)

    assert [one.name for one in file.parent.iterdir()] == [file.name]


async def test_a_repair_that_nobody_waits_for_any_more_does_not_hang(
    side: Side,
) -> None:
    side.put(b"".join(transcript())[:-1])

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await side.call("repair_transcript", session_id=SESSION)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="makes a directory of another user")
async def test_a_transcript_that_cannot_be_replaced_is_told_with_the_reason(
    short_path: Path,
) -> None:
    short_path.chmod(0o755)
    side = Side(short_path)
    file = side.put(b"".join(transcript())[:-1])
    os.seteuid(65534)
    try:
        with pytest.raises(CallFailed, match=f"{SESSION}: Permission denied"):
            await side.call("repair_transcript", session_id=SESSION)
    finally:
        os.seteuid(0)

    assert [one.name for one in file.parent.iterdir()] == [file.name]


async def test_pages_are_listed_and_a_turn_is_found(side: Side) -> None:
    side.put(b"".join(transcript()))
    asked = str(uuid.UUID(int=1))

    page = await side.call("list_transcripts", after=None, limit=10)
    state = await side.call("turn_state", session_id=SESSION, message_uuid=asked)

    assert page["next"] is None
    assert [row["session_id"] for row in page["sessions"]] == [SESSION]  # type: ignore[attr-defined]
    assert state == {
        "running": False,
        "found": True,
        "ended": True,
        "answer": "I will remember: mango.",
        "is_error": False,
        "last_uuid": str(uuid.UUID(int=3)),
        "truncated": False,
    }


def test_a_last_step_that_began_is_waited_for_however_long_it_takes() -> None:
    """A disk that hangs must not cost the damaged file its second name."""
    began: Future[None] = Future()
    assert began.set_running_or_notify_cancel()
    threading.Timer(0.2, began.set_result, [None]).start()

    wait_for(began, 0.01)

    assert began.done()
    with pytest.raises(RepairRefused):
        wait_for(Future(), 0.01)
