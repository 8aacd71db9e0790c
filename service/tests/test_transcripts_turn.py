# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Transcripts: what they hold of one turn, in the forms that the CLI writes it."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from pathlib import Path

import pytest
from damaged_transcripts import SESSION

from agentd.spawner.frames import FrameKind, encode_json
from agentd.transcripts import turn as turn_module
from agentd.transcripts.find import Places
from agentd.transcripts.turn import TurnState, turn_state

ASKED = str(uuid.UUID(int=7))
NUMBERS = itertools.count(1000)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A configuration with the project of /data/memory."""
    found = Places(tmp_path / ".claude", Path("/data/memory"))
    (found.projects / found.own_project).mkdir(parents=True)
    return found


def line(kind: str, content: object, **more: object) -> bytes:
    """Return a line of the conversation."""
    value = {
        "type": kind,
        "uuid": str(uuid.UUID(int=next(NUMBERS))),
        "sessionId": SESSION,
        **more,
        "message": {"role": kind, "content": content, **_dict(more.pop("message", {}))},
    }
    return json.dumps(value).encode() + b"\n"


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def user(text: object, prompt: str | None = "p1", **more: object) -> bytes:
    """Return a line of the user."""
    return line("user", text, **({"promptId": prompt} if prompt else {}), **more)


def said(text: str, stop: str | None = "end_turn", **more: object) -> bytes:
    """Return a line of the model."""
    message = {"id": more.pop("id", "m1"), "stop_reason": stop, "model": "a-model"}
    block = [{"type": "text", "text": text}]
    return line("assistant", block, message=message, **more)


def tool(stop: str = "tool_use") -> bytes:
    """Return a line with a call of a tool."""
    message = {"id": "m0", "stop_reason": stop}
    return line("assistant", [{"type": "tool_use", "name": "Bash"}], message=message)


def result(prompt: str | None = "p1") -> bytes:
    """Return a line with the result of a tool."""
    return user([{"type": "tool_result", "content": "hi"}], prompt)


def synthetic(text: str, **more: object) -> bytes:
    """Return a line that the CLI put in itself."""
    message = {"id": "s", "model": "<synthetic>", "stop_reason": "stop_sequence"}
    return line("assistant", [{"type": "text", "text": text}], message=message, **more)


QUESTION = user("What?", uuid=ASKED)
EARLIER = user("Before", "p0") + said("An earlier answer")
NEXT = user("And then?", "p2")
SUMMARY = user("This session is being continued", "p1", isCompactSummary=True)


@pytest.mark.parametrize(
    ("content", "ended", "answer"),
    [
        (QUESTION, False, None),
        (QUESTION + said("It"), True, "It"),
        (QUESTION + said("It") + NEXT + said("Other"), True, "It"),
        (QUESTION + said("part", None), False, None),
        (QUESTION + said("I call", "tool_use") + tool(), False, None),
        (QUESTION + said("I call", "tool_use") + tool() + NEXT, True, None),
        (
            QUESTION + said("I call", "tool_use", id="m0") + tool() + result(),
            False,
            None,
        ),
        (QUESTION + tool() + result() + said("Done"), True, "Done"),
        (QUESTION + tool() + result(None) + said("Done"), True, "Done"),
        (QUESTION + said("one") + said("two"), True, "one\ntwo"),
        (QUESTION + said("one") + said("two", id="m2"), True, "two"),
        (QUESTION + said("cut", "max_tokens"), True, "cut"),
        (QUESTION + said("It") + user("x", isSidechain=True) + NEXT, True, "It"),
        (QUESTION + said("sub", isSidechain=True), False, None),
        (QUESTION + SUMMARY + said("It"), True, "It"),
        (QUESTION + user("caveat", "p9", isMeta=True) + said("It"), True, "It"),
        (QUESTION + said("It") + user("<task-notification>", "p5"), True, "It"),
        (QUESTION + b"garbage\n" + b"\0\0\n" + said("It"), True, "It"),
        (
            QUESTION
            + user([{"type": "text", "text": "[Request interrupted by user]"}]),
            True,
            None,
        ),
        (QUESTION + synthetic("No response requested.") + NEXT, True, None),
        (QUESTION + NEXT + said("Other"), True, None),
        (QUESTION + said("It")[:-30], False, None),
    ],
    ids=[
        "no answer yet",
        "an answer",
        "an answer and the next turn",
        "an answer that is not whole",
        "a tool is called",
        "a tool was called, then the next turn",
        "a tool has answered",
        "a tool and an answer",
        "a tool of an older release",
        "one message in two lines",
        "two messages",
        "cut off by its limit",
        "a side line between",
        "a side line only",
        "compaction in the turn",
        "a note between",
        "a background result after it",
        "damaged lines between",
        "interrupted",
        "killed and resumed",
        "killed, then the next turn",
        "a torn answer",
    ],
)
def test_a_turn_is_followed_to_its_end(
    places: Places, content: bytes, ended: bool, answer: str | None
) -> None:
    write(places, EARLIER + content)

    state = turn_state(places, SESSION, ASKED)

    assert state.found
    assert (state.ended, state.answer) == (ended, answer)


def write(places: Places, content: bytes) -> Path:
    """Write the session's transcript."""
    file = places.projects / "-data-memory" / f"{SESSION}.jsonl"
    file.write_bytes(content)
    return file


def test_an_error_of_the_model_s_api_is_told_as_one(places: Places) -> None:
    write(places, QUESTION + synthetic("API Error: 529", isApiErrorMessage=True))

    state = turn_state(places, SESSION, ASKED)

    assert (state.ended, state.is_error, state.answer) == (True, True, "API Error: 529")


def test_the_last_message_of_the_turn_is_named(places: Places) -> None:
    last = str(uuid.UUID(int=9))
    write(places, QUESTION + tool() + result() + said("It", uuid=last) + NEXT)

    assert turn_state(places, SESSION, ASKED).last_uuid == last


@pytest.mark.parametrize(
    "content",
    [b"", EARLIER, user(ASKED), said("It", uuid=ASKED), b"garbage"],
    ids=["empty", "other turns", "quoted", "not the user's", "garbage"],
)
def test_a_turn_that_is_not_there_is_not_found(places: Places, content: bytes) -> None:
    write(places, content)

    assert turn_state(places, SESSION, ASKED) == TurnState()


def test_a_turn_far_from_the_end_is_found(places: Places) -> None:
    filler = user("x" * 10_000, "p3")
    write(places, EARLIER + QUESTION + said("It") + filler * 300)

    state = turn_state(places, SESSION, ASKED)

    assert (state.found, state.answer) == (True, "It")


def test_a_long_answer_is_cut(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_module, "MAX_ANSWER_CHARACTERS", 3)
    write(places, QUESTION + said("four"))

    state = turn_state(places, SESSION, ASKED)

    assert (state.answer, state.truncated) == ("fou", True)


def test_lines_without_end_of_one_answer_are_followed_in_time(places: Places) -> None:
    """What the agent writes there must not keep its own side busy for minutes."""
    write(places, QUESTION + said("x" * 1000) * 20_000)

    start = time.process_time()
    state = turn_state(places, SESSION, ASKED)

    assert state.truncated and state.answer is not None
    assert len(state.answer) == turn_module.MAX_ANSWER_CHARACTERS
    assert time.process_time() - start < 5


@pytest.mark.parametrize("sign", ["x", "ü", "\N{GRINNING FACE}", "\x01", '"'])
def test_the_longest_answer_fits_into_a_frame(places: Places, sign: str) -> None:
    write(places, QUESTION + said(sign * 100_001))

    state = turn_state(places, SESSION, ASKED)
    told = {"id": 1, "result": state.for_output(running=False)}

    assert encode_json(FrameKind.ANSWER, told)
    assert state.truncated
    assert state.answer is not None
    assert len(state.answer) > 10_000


def test_what_no_cli_writes_is_followed_without_an_error(places: Places) -> None:
    strange: list[object] = [5, None, "x", {"content": 5}, {"content": [5, None, {}]}]
    lines = [
        json.dumps({"type": kind, "message": value, "sessionId": SESSION}).encode()
        for value in strange
        for kind in ("user", "assistant")
    ]
    write(places, QUESTION + b"\n".join(lines) + b"\n")

    assert turn_state(places, SESSION, ASKED).found
