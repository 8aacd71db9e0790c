# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Which samples are kept: the older, the fewer."""

from __future__ import annotations

from collections.abc import Iterable

HOUR = 3_600.0
DAY = 24 * HOUR
# Younger than that: one sample for each so many seconds, the first of them.
STEPS = ((1 * DAY, 0.0), (14 * DAY, HOUR))
REST = 6 * HOUR


def surplus(times: Iterable[float], now: float, days: float) -> list[float]:
    """Given when samples were taken, the oldest first, return which are not kept."""
    gone = []
    kept: set[tuple[float, float]] = set()
    for at in times:
        age = now - at
        step = next((step for young, step in STEPS if age < young), REST)
        if age > days * DAY:
            gone.append(at)
        elif step:
            place = (step, at // step)
            if place in kept:
                gone.append(at)
            kept.add(place)
    return gone
