# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Tell from the model's answers whether an agent is served: decisions over values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from agentd.gateway.status import State

PAUSE_DEFAULT_SECONDS = 60.0
PAUSE_MAX_SECONDS = 3600.0
SIGNED_OUT = frozenset({401, 402, 403})
OVERLOADED = frozenset({503, 529})

_KIND = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True)
class Condition:
    """A state, when it began, when it is known to end, and why it is."""

    state: State = "ok"
    since: float = 0.0
    retry_after: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Told:
    """What an answer tells: status, error type, the header retry-after."""

    status: int
    kind: str | None = None
    retry_after: str | None = None


def after_answer(before: Condition, told: Told, now: float) -> Condition:
    """Return the condition after an answer of the model."""
    if told.status < 400:
        return _changed(before, Condition("ok", now))
    kind = told.kind if told.kind and _KIND.fullmatch(told.kind) else None
    reason = f"The model answered {told.status}{f' ({kind})' if kind else ''}."
    if told.status in SIGNED_OUT:
        return _changed(before, Condition("signed_out", now, None, reason))
    if told.status == 429 or told.status in OVERLOADED:
        state: State = "rate_limited" if told.status == 429 else "overloaded"
        end = now + pause_seconds(told.retry_after, now)
        return _changed(before, Condition(state, now, end, reason))
    return before


def current(condition: Condition, now: float) -> Condition:
    """Return the condition now: one that has an end is over after it."""
    end = condition.retry_after
    if end is not None and now >= end:
        return Condition("ok", end)
    return condition


def pause_seconds(header: str | None, now: float) -> float:
    """Return how long the model asks to wait, within bounds."""
    seconds = _seconds(header, now)
    if seconds is None or math.isnan(seconds) or seconds < 0:
        return PAUSE_DEFAULT_SECONDS
    return min(seconds, PAUSE_MAX_SECONDS)


def _seconds(header: str | None, now: float) -> float | None:
    if header is None:
        return None
    try:
        return float(header)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(header).astimezone(UTC).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _changed(before: Condition, after: Condition) -> Condition:
    if before.state != after.state:
        return after
    return Condition(after.state, before.since, after.retry_after, after.reason)
