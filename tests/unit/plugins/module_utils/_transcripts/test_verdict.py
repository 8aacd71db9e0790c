# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Verdicts in words, and lines cut from blocks; the table is a contract test."""

from __future__ import annotations

import pytest
from ansible_collections.agentkeep.agents.plugins.module_utils._transcripts import (
    halves,
    lines,
    verdict,
)

CONTENT = b"one\ntwo\0two\n\n" + b"x" * 50 + b"\r\nlast"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_the_lines_are_the_same_however_they_are_read(size: int) -> None:
    splitter = lines.Splitter()

    found = [
        line
        for start in range(0, len(CONTENT), size)
        for line in splitter.feed(CONTENT[start : start + size])
    ]
    found += splitter.rest()

    assert [line.content for line in found] == [
        b"one",
        b"twotwo",
        b"",
        b"x" * 50 + b"\r",
        b"last",
    ]
    assert [line.number for line in found] == [1, 2, 3, 4, 5]
    assert [line.nuls for line in found] == [False, True, False, False, False]
    assert [line.ended for line in found] == [True, True, True, True, False]


def test_a_verdict_says_all_its_reasons() -> None:
    found = verdict.Verdict(
        verdict.DAMAGED,
        (verdict.Fault("torn", 2, 7), verdict.Fault("no_final_newline", 1, 9)),
    )

    assert found.resumable
    assert found.why == (
        "torn lines: 2 (the first in line 7); its last line has no end"
    )


def test_every_kind_of_fault_has_words() -> None:
    for kind in (*verdict.COUNTED, *verdict.REASONS):
        assert verdict.Fault(kind).reason


def test_a_session_of_which_no_turn_was_ever_on_disk_is_not_lost() -> None:
    stored = halves.Stored("main", "s", "conv", durable=False)

    found = halves.Session(None, stored)

    assert found.verdict.word == verdict.MISSING
    assert not found.is_lost


def test_lines_are_held_one_at_a_time() -> None:
    splitter = lines.Splitter()

    first = list(splitter.feed(b"a\nb"))

    assert first == [lines.Line(1, b"a", whole=False)]
    assert list(splitter.rest()) == [lines.Line(2, b"b", ended=False, whole=False)]
