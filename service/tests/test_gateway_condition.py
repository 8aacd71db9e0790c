# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""What the model's answers say of an agent's condition, and when it is over."""

from __future__ import annotations

import pytest

from agentd.gateway.condition import Condition, Told, after_answer, current

WELL = Condition(since=1.0)


@pytest.mark.parametrize(
    ("told", "state", "end"),
    [
        (Told(200), "ok", None),
        (Told(400, "invalid_request_error"), "ok", None),
        (Told(401, "authentication_error"), "signed_out", None),
        (Told(403, "permission_error"), "signed_out", None),
        (Told(429, "rate_limit_error", "30"), "rate_limited", 130.0),
        (Told(429), "rate_limited", 160.0),
        (Told(429, None, "Thu, 01 Jan 1970 00:02:00 GMT"), "rate_limited", 120.0),
        (Told(429, None, "nan"), "rate_limited", 160.0),
        (Told(429, None, "-5"), "rate_limited", 160.0),
        (Told(429, None, "1e300"), "rate_limited", 3700.0),
        (Told(429, None, "soon"), "rate_limited", 160.0),
        (Told(529, "overloaded_error"), "overloaded", 160.0),
        (Told(503), "overloaded", 160.0),
        (Told(500), "ok", None),
    ],
)
def test_a_status_is_a_state(told: Told, state: str, end: float | None) -> None:
    found = after_answer(WELL, told, 100.0)

    assert (found.state, found.retry_after) == (state, end)
    assert found.since == (1.0 if state == "ok" else 100.0)


def test_a_state_keeps_when_it_began() -> None:
    first = after_answer(WELL, Told(429, None, "10"), 100.0)
    second = after_answer(first, Told(429, None, "10"), 105.0)

    assert (second.since, second.retry_after) == (100.0, 115.0)


def test_a_state_is_over_after_its_end_or_a_good_answer() -> None:
    limited = after_answer(WELL, Told(429, None, "10"), 100.0)
    signed_out = after_answer(WELL, Told(401), 100.0)

    assert current(limited, 109.0).state == "rate_limited"
    assert current(limited, 110.0) == Condition("ok", 110.0)
    assert current(signed_out, 10**6).state == "signed_out"
    assert after_answer(signed_out, Told(200), 200.0) == Condition("ok", 200.0)


def test_a_reason_quotes_no_words_of_an_agent() -> None:
    found = after_answer(WELL, Told(401, "<b>forged\n"), 1.0)

    assert found.reason == "The model answered 401."
