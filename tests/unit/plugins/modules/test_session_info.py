# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""session_info: what it returns, and what it refuses."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentkeep.agents.plugins.modules import session_info
from session_trees import (
    FIRST,
    SECOND,
    SESSIONS,
    THIRD,
    Control,
    Params,
    content_of,
    found,
    listing,
    options_of,
    put,
    stored,
    verdicts,
)


@pytest.fixture
def control() -> Iterator[Control]:
    """Return a running server."""
    with listing() as server:
        yield server


@pytest.fixture
def asked(params: Params) -> Params:
    """Return the options of the module for the declared deployment."""
    return options_of(params)


def test_nothing_is_there_before_the_first_layout(
    asked: Params, run_module: Any
) -> None:
    result = found(run_module, asked)

    assert result["sessions"] == []
    assert result["warnings"] == []
    assert [one["agent"] for one in result["places"]] == ["mail", "main"]
    assert not Path(asked["data_root"]).exists()


def test_each_session_is_told_with_all_that_is_known_of_it(
    asked: Params, run_module: Any
) -> None:
    """L20: a report of the ids that do not resume, and why."""
    sound, torn = put(asked, FIRST), put(asked, SECOND, content_of(SECOND) + b"x\n")
    os.utime(torn, (1000, 2000))

    result = found(run_module, asked)

    first, second = result["sessions"]
    assert first == {
        "agent": "main",
        "session_id": FIRST,
        "conversation_id": None,
        "stored": None,
        "durable": None,
        "verdict": "sound",
        "resumable": True,
        "why": "",
        "faults": [],
        "path": str(sound),
        "bytes": sound.stat().st_size,
        "lines": 2,
        "modified": sound.stat().st_mtime,
        "copies": 1,
    }
    assert (second["verdict"], second["resumable"]) == ("damaged", True)
    assert second["why"] == "torn lines: 1 (the first in line 3)"
    assert result["counts"] == {"sound": 1, "damaged": 1}
    assert result["without_transcript"] == result["without_id"] == []


def test_check_mode_says_the_same(asked: Params, run_module: Any) -> None:
    put(asked, FIRST)

    done = run_module(session_info, asked)

    assert run_module(session_info, asked, check=True).result == done.result


def test_both_orphan_halves_are_named_and_what_is_lost_is_warned_of(
    asked: Params, run_module: Any, control: Control
) -> None:
    """G21."""
    first, second, third, fourth, fifth, *_rest = SESSIONS
    control.rows = [
        stored(first),
        stored(second),
        stored(third, durable=False),
        stored(fourth),
        stored(fourth, "mail"),
    ]
    put(asked, first)
    put(asked, fourth, b"")
    put(asked, fourth, agent="mail")
    put(asked, fifth)

    result = found(run_module, {**asked, "url": control.url})

    assert result["without_id"] == [fifth]
    assert result["without_transcript"] == [second, third]
    assert [(one["session_id"], one["verdict"]) for one in result["lost"]] == [
        (fourth, "unusable"),
        (second, "missing"),
    ]
    assert result["warnings"] == [
        (
            'Conversation conv-4 of agent "main" cannot go on in session '
            f"{fourth}: the transcript is empty."
        ),
        (
            'Conversation conv-2 of agent "main" cannot go on in session '
            f"{second}: there is no transcript."
        ),
    ]


def test_a_transcript_that_is_newer_than_the_answer_is_no_orphan(
    asked: Params, run_module: Any, control: Control
) -> None:
    """G21."""
    os.utime(put(asked, FIRST), (1000, time.time() + 60))

    result = found(run_module, {**asked, "url": control.url})

    assert result["without_id"] == []
    assert result["sessions"][0]["stored"] is None


def test_one_agent_s_sessions_can_be_asked_for(
    asked: Params, run_module: Any, control: Control
) -> None:
    put(asked, FIRST)
    put(asked, SECOND, agent="mail")
    control.rows = [stored(FIRST), stored(SECOND, "mail"), stored(THIRD, "mail")]

    result = found(run_module, {**asked, "url": control.url, "agent": "mail"})

    assert verdicts(result) == {SECOND: "sound", THIRD: "missing"}


def test_an_agent_that_is_not_enabled_keeps_its_sessions(
    asked: Params, run_module: Any
) -> None:
    put(asked, FIRST, agent="mail")
    asked["agents"][1]["enabled"] = False

    assert verdicts(found(run_module, asked)) == {FIRST: "sound"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"agent": "nobody"}, "the declared agents are mail, main"),
        ({"most_transcripts": 0}, "Set most_transcripts"),
        ({"scan_timeout_seconds": 0}, "Set scan_timeout_seconds"),
        ({"url": "ftp://x"}, "Set url"),
        ({"url": "http://127.0.0.1:9"}, "Check that control runs"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(
    asked: Params, run_module: Any, change: Params, words: str
) -> None:
    done = run_module(session_info, {**asked, **change})

    assert done.failed
    assert words in done.message


@pytest.mark.parametrize("answer", [[], {"sessions": 5}, {"sessions": [5]}])
def test_an_answer_that_is_not_control_s_is_refused(
    asked: Params, run_module: Any, control: Control, answer: Any
) -> None:
    control.answer = answer or {"conversations": []}

    done = run_module(session_info, {**asked, "url": control.url})

    assert done.failed
    assert "the answer is not what agentd answers" in done.message
