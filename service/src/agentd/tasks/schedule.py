# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""When a schedule is due: cron, interval or once, right across daylight saving.

Times are seconds since 1970. A local time that is left out in spring is due at the
first one after it; one that comes twice in autumn is due the first time only, unless
minute or hour begin with a star: those follow the time that really goes by.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from agentd.errors import TaskInvalid

Kind = Literal["cron", "interval", "once"]
MAX_VALUE_CHARACTERS = 256
MIN_INTERVAL_MS = 1000
MAX_INTERVAL_MS = 10 * 366 * 24 * 3600 * 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9990, 1, 1, tzinfo=UTC)
ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9+_-]*(/[A-Za-z0-9+_-]+)*")


def next_run(kind: Kind, value: str, zone: str, after: float) -> float | None:
    """Return when it is due next, later than ``after``, or None for never again.

    An interval counts from ``after``. Raise TaskInvalid for a value or a zone that
    means nothing.
    """
    place = zone_of(zone)
    if kind == "interval":
        return after + _interval_seconds(value)
    if kind == "once":
        at = once_at(value, zone)
        return at if at > after else None
    return _next_of_cron(value, place, after)


def first_run(kind: Kind, value: str, zone: str, now: float) -> float:
    """Return when a new schedule is due first; a time in the past is due at once.

    Raise TaskInvalid for what means nothing and for a cron expression that is never
    due.
    """
    due = once_at(value, zone) if kind == "once" else next_run(kind, value, zone, now)
    if due is None:
        raise TaskInvalid(
            f'The cron expression "{_quoted(value)}" is due on no day of the next 50 '
            "years. Name a day that its months have."
        )
    return due


def run_after(
    kind: Kind, value: str, zone: str, due: float, now: float
) -> float | None:
    """Return when it is due after the run that was due then; it is later than now.

    What was missed in between is left out. An interval keeps its beat.
    """
    if kind == "once":
        return None
    if kind == "interval":
        step = _interval_seconds(value)
        missed = max(0, int((now - due) // step))
        following = due + (missed + 1) * step
        return following if following > now else following + step
    return next_run(kind, value, zone, max(due, now))


def once_at(value: str, zone: str) -> float:
    """Return the time that an ISO 8601 text names; without an offset, in the zone."""
    try:
        if len(value) > MAX_VALUE_CHARACTERS:
            raise ValueError
        at = datetime.fromisoformat(value.strip())
        at = at.replace(tzinfo=zone_of(zone)) if at.tzinfo is None else at
        if not EPOCH - timedelta(days=36500) < at < LATEST:
            raise ValueError
        return (at - EPOCH).total_seconds()
    except (ValueError, OverflowError) as error:
        raise TaskInvalid(
            f'"{_quoted(value)}" is no time for a schedule of the type once. Write it '
            "in ISO 8601, for example 2026-03-15T14:00:00."
        ) from error


@lru_cache(maxsize=128)
def zone_of(name: str) -> ZoneInfo:
    """Return the time zone; raise TaskInvalid if there is none of that name."""
    try:
        if ZONE_NAME.fullmatch(name) is None or len(name) > 64:
            raise ValueError
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:
        raise TaskInvalid(
            f'There is no time zone "{_quoted(name)}". Name one of the IANA database, '
            "for example Europe/Berlin or UTC."
        ) from error


def _interval_seconds(value: str) -> float:
    text = value.strip()
    if not re.fullmatch(r"[0-9]{1,15}", text) or not (
        MIN_INTERVAL_MS <= int(text) <= MAX_INTERVAL_MS
    ):
        raise TaskInvalid(
            f'"{_quoted(value)}" is no interval. Write milliseconds as a whole number '
            f"from {MIN_INTERVAL_MS} to {MAX_INTERVAL_MS}."
        )
    return int(text) / 1000


def _next_of_cron(value: str, zone: ZoneInfo, after: float) -> float | None:
    from cronsim import CronSim, CronSimError

    try:
        if len(value) > MAX_VALUE_CHARACTERS:
            raise CronSimError
        begin = (EPOCH + timedelta(seconds=after)).astimezone(zone)
        times = CronSim(value, begin)
    except (CronSimError, ValueError, OverflowError) as error:
        why = f": {error}" if str(error) else ""
        raise TaskInvalid(
            f'"{_quoted(value)}" is no cron expression{why}. Write minute, hour, day '
            "of month, month and day of week, for example 0 9 * * 1-5."
        ) from error
    try:
        for at in times:
            seconds = (at.astimezone(UTC) - EPOCH).total_seconds()
            # Within the hour that comes twice, local times before this one come again.
            if seconds > after:
                return seconds
    except (ValueError, OverflowError):
        # The calendar ends before it is due.
        return None
    return None


def _quoted(value: str) -> str:
    return value[:80].encode("ascii", "replace").decode("ascii")
