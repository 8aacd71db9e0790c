# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Keys as one string, and the limits of a session."""

from __future__ import annotations

from itertools import product

import pytest

from agentd.sessions.identity import IssueKey, SessionKey, StoredSession
from agentd.sessions.keys import encode_key
from agentd.sessions.rotation import DAY_SECONDS, RotationLimits, rotation_reason

PARTS = ("", "a", "b", ":", "a:", ":a", "%3A", "a%3A", "/", "..", "a/b", "issue", "é")


def test_no_two_keys_have_the_same_string() -> None:
    """G01: agent, repository, issue and conversation, with every separator."""
    keys: list[IssueKey | SessionKey] = [
        *(IssueKey(*parts) for parts in product(PARTS, repeat=3)),
        *(SessionKey(*parts) for parts in product(PARTS, repeat=2)),
    ]

    assert len({encode_key(key) for key in keys}) == len(keys)


def test_a_key_is_one_harmless_name() -> None:
    key = encode_key(IssueKey("main", "../shop/web", "17\n\ud800"))

    assert "/" not in key
    assert ".." not in key
    assert key.isascii()
    assert key.isprintable()


@pytest.mark.parametrize(
    ("size", "age_days", "rotated"),
    [
        (None, 0, False),
        (100, 0, False),
        (101, 0, True),
        (None, 14, False),
        (None, 15, True),
    ],
)
def test_a_session_is_followed_by_another_only_beyond_its_limits(
    size: int | None, age_days: float, rotated: bool
) -> None:
    """G20."""
    stored = StoredSession("id", True, created_at=0.0, transcript_bytes=size)
    now = age_days * DAY_SECONDS

    assert (rotation_reason(stored, RotationLimits(100, 14), now) is not None) is (
        rotated
    )
    assert rotation_reason(stored, RotationLimits(), now) is None


def test_a_session_of_unknown_age_is_not_too_old() -> None:
    """G20."""
    stored = StoredSession("id", True)

    assert rotation_reason(stored, RotationLimits(None, 1), 1e9) is None
