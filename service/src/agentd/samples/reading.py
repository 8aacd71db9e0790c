# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What an agent's side says of its state: a claim from its container."""

from __future__ import annotations

from collections.abc import Mapping

from agentd.samples.values import Amount, Usage
from agentd.spawner.calls import printable
from agentd.usage.areas import AREAS

MOST = 2**53
MOST_SECONDS = 1_000_000
MAX_PROBLEMS = 12


def read_usage(answer: Mapping[str, object], at: float) -> Usage:
    """Return what an answer says, whatever shape it has; unknown areas are dropped."""
    areas = answer.get("areas")
    told = areas if isinstance(areas, dict) else {}
    return Usage(
        at=at,
        areas={name: _amount(told.get(name)) for name in AREAS},
        seconds=_seconds(answer.get("seconds")),
        whole=answer.get("whole") is True,
        problems=_sentences(answer.get("problems")),
    )


def _amount(found: object) -> Amount:
    if not isinstance(found, dict):
        return Amount()
    return Amount(_count(found.get("bytes")), _count(found.get("files")))


def _count(found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int):
        return 0
    return min(max(found, 0), MOST)


def _seconds(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0.0
    # Bounded first: an int may be too large for a float.
    return float(min(max(found, 0), MOST_SECONDS))


def _sentences(found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        return ()
    return tuple(printable(one) for one in found[:MAX_PROBLEMS])
