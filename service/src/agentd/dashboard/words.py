# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Numbers, times and foreign words as pages show them."""

from __future__ import annotations

import re

from agentd.api.times import iso

MAX_CHARACTERS = 20_000
# What a table shows where it has no value.
NONE = "\u2013"
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
STEPS = ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600), (1e300, "d", 86_400))
# Nothing that is shown may turn the line around it, or be no character at all.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: str) -> str:
    """Return words of others, bounded and without what is not seen."""
    cut = text[:MAX_CHARACTERS]
    return UNSEEN.sub("\ufffd", cut) + ("…" if len(text) > MAX_CHARACTERS else "")


def brief(text: str | None, most: int = 120) -> str:
    """Return the beginning of a text in one line."""
    words = " ".join((text or "")[: 4 * most].split())
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def amount(count: float | None) -> str:
    """Return a number of bytes in the unit that suits it."""
    if count is None:
        return NONE
    size, unit = float(count), 0
    while abs(size) >= 1023.95 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def count(number: float | None) -> str:
    """Return a number with its thousands apart."""
    return NONE if number is None else f"{number:,.0f}".replace(",", "\u202f")


def span(seconds: float | None) -> str:
    """Return how long something took."""
    if seconds is None:
        return NONE
    if seconds < 10:
        return f"{seconds:.1f} s"
    for below, unit, size in STEPS:
        if seconds < below:
            return f"{seconds / size:.0f} {unit}"
    return NONE


def ago(at: float, now: float) -> str:
    """Return how long ago, or in what time, something is."""
    away = abs(now - at)
    if away < 5:
        return "just now"
    for below, unit, size in STEPS:
        if away < below:
            told = f"{int(away // size)} {unit}"
            return f"in {told}" if at > now else f"{told} ago"
    return NONE


def moment(at: float) -> str:
    """Return a time as programs read it."""
    return iso(at)


def clock_time(at: float) -> str:
    """Return a time as people read it, in UTC."""
    return f"{iso(at)[:16].replace('T', ' ')} UTC"


def short_id(name: str | None) -> str:
    """Return the beginning of an id, which is what one tells it by."""
    if not name:
        return NONE
    kind, dash, rest = name.partition("-")
    if dash and kind in {"conv", "task"}:
        return f"{kind}-{rest[:8]}"
    return name[:8] if re.fullmatch(r"[0-9a-f-]{36}", name) else brief(name, 24)
