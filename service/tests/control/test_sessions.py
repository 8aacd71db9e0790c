# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The choice of a session, and the words that drop one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from agentd.errors import CliFailed, SessionInUse, SessionNotFound
from agentd.sessions.choose import (
    Choice,
    Found,
    after_in_use,
    after_not_found,
    choose,
    join_notices,
)
from agentd.sessions.failures import cli_failure
from agentd.sessions.identity import StoredSession, canonical_uuid
from agentd.sessions.turn_state import read_turn_state, recovered

OLD = "11111111-1111-4111-8111-111111111111"
NEW = "99999999-9999-4999-8999-999999999999"


@dataclass(frozen=True)
class Case:
    """What is found before a turn, and what is to be chosen."""

    stored: StoredSession | None
    exists: bool
    session_id: str
    resume: bool
    noticed: bool


@pytest.mark.parametrize(
    "case",
    [
        Case(None, exists=False, session_id=NEW, resume=False, noticed=False),
        Case(StoredSession(OLD, True), True, OLD, resume=True, noticed=False),
        Case(StoredSession(OLD, False), True, OLD, resume=True, noticed=False),
        Case(StoredSession(OLD, True), False, NEW, resume=False, noticed=True),
        Case(StoredSession(OLD, False), False, OLD, resume=False, noticed=False),
    ],
)
def test_choose_resumes_what_is_there_and_tells_what_is_lost(case: Case) -> None:
    """G09: a transcript that is absent gives a new session and a notice."""
    chosen = choose(Found("main", case.stored, case.exists), NEW)

    assert chosen.session_id == case.session_id
    assert chosen.resume is case.resume
    assert (chosen.notice is not None) is case.noticed


@pytest.mark.parametrize("durable", [True, False])
def test_a_foreign_transcript_is_not_resumed(durable: bool) -> None:
    """G09: its id is not used either, for the CLI would find it in use."""
    chosen = choose(Found("main", StoredSession(OLD, durable), True, foreign=True), NEW)

    assert (chosen.session_id, chosen.resume) == (NEW, False)
    assert chosen.notice is not None
    assert "another session" in chosen.notice


def test_after_a_refused_resume_the_fresh_session_is_new_and_noticed() -> None:
    """G10: fall back once."""
    chosen = after_not_found("main", NEW)

    assert (chosen.session_id, chosen.resume) == (NEW, False)
    assert chosen.notice is not None


def test_after_an_id_in_use_the_same_session_is_resumed() -> None:
    assert after_in_use(Choice(OLD, resume=False)) == Choice(OLD, resume=True)


def test_notices_are_joined_and_nothing_stays_nothing() -> None:
    assert join_notices(None, None) is None
    assert join_notices("One.", None, "Two.") == "One. Two."


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (f"No conversation found with session ID: {OLD} (exit code: 1)", 1),
        ("ENOENT: no such file or directory, open '/x/y.jsonl'", 1),
        ("session not found", 1),
        (f"Error: Session ID {OLD} is already in use.", 2),
        ("API Error: 401 invalid x-api-key", 0),
        ("connect ECONNREFUSED 127.0.0.1:8081", 0),
        ("Not logged in · Please run /login", 0),
        ("ENOENT: no such file or directory, open '/etc/x.json'", 0),
        ("", 0),
    ],
)
def test_only_the_words_of_a_lost_session_drop_it(words: str, kind: int) -> None:
    """G11: network and sign-in errors do not drop the id."""
    error = cli_failure("told", words)

    assert error.__class__ is (CliFailed, SessionNotFound, SessionInUse)[kind]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OLD, OLD),
        (OLD.upper(), OLD),
        ("../../etc/passwd", None),
        (None, None),
        (7, None),
        ("{" + OLD[1:-1] + "}", None),
    ],
)
def test_only_a_uuid_is_a_session_id(value: object, expected: str | None) -> None:
    assert canonical_uuid(value) == expected


def test_evidence_that_an_agent_made_up_is_searched_to_an_end() -> None:
    # Searched from each of these words to the end, this would take hours.
    evidence = "ENOENT" * 2_000_000

    error = cli_failure("It broke off.", evidence)

    assert error.__class__ is CliFailed


def test_the_words_are_found_at_both_ends_of_long_evidence() -> None:
    long = "x" * 100_000

    first = cli_failure("a", f"No conversation found {long}")
    last = cli_failure("b", f"{long} ENOENT: /data/memory/.claude/projects/p/s.jsonl")

    assert isinstance(first, SessionNotFound)
    assert isinstance(last, SessionNotFound)


def test_an_error_of_the_model_s_api_is_recovered_as_one() -> None:
    told = {"found": True, "ended": True, "answer": "API Error", "is_error": True}

    end = recovered(read_turn_state(told))

    assert (end.status, end.content) == ("error", "API Error")
    assert end.in_transcript
