# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""When schedules are due: pure, with daylight saving both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agentd.errors import TaskInvalid
from agentd.tasks.schedule import Kind, first_run, next_run, once_at, run_after

BERLIN = "Europe/Berlin"
DAY = 86_400.0


def at(text: str) -> float:
    """Return the seconds since 1970 of a time with its offset."""
    return datetime.fromisoformat(text).timestamp()


def told(seconds: float | None, zone: str = BERLIN) -> str | None:
    """Return a time as the zone's clocks show it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).isoformat()


def runs(value: str, zone: str, since: str, count: int) -> list[str | None]:
    """Return the next times of a cron expression, one after the other."""
    found: list[str | None] = []
    after: float | None = at(since)
    for _number in range(count):
        assert after is not None
        after = next_run("cron", value, zone, after)
        found.append(told(after, zone))
    return found


def test_a_daily_time_stays_the_same_on_the_clock_across_both_changes() -> None:
    """J10: nine o'clock is nine o'clock, in summer and in winter."""
    spring = runs("0 9 * * *", BERLIN, "2026-03-28T12:00:00+01:00", 2)
    autumn = runs("0 9 * * *", BERLIN, "2026-10-24T12:00:00+02:00", 2)

    assert spring == ["2026-03-29T09:00:00+02:00", "2026-03-30T09:00:00+02:00"]
    assert autumn == ["2026-10-25T09:00:00+01:00", "2026-10-26T09:00:00+01:00"]


def test_a_time_that_spring_leaves_out_is_due_once_right_after_the_gap() -> None:
    """J10: 02:30 does not exist on that day; 03:00 is the first time after it."""
    found = runs("30 2 * * *", BERLIN, "2026-03-28T12:00:00+01:00", 2)

    assert found == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]


@pytest.mark.parametrize(
    "since", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:10:00+01:00"]
)
def test_a_time_that_autumn_repeats_is_due_the_first_time_only(since: str) -> None:
    """J10: neither right after its run nor for a start within the second hour."""
    before = runs("30 2 * * *", BERLIN, "2026-10-24T12:00:00+02:00", 1)
    after = runs("30 2 * * *", BERLIN, since, 1)

    assert before == ["2026-10-25T02:30:00+02:00"]
    assert after == ["2026-10-26T02:30:00+01:00"]


def test_every_half_hour_follows_the_time_that_really_goes_by() -> None:
    """J10: nothing is left out in spring, and nothing comes twice at once."""
    spring = runs("*/30 * * * *", BERLIN, "2026-03-29T01:00:00+01:00", 3)
    autumn = runs("*/30 * * * *", BERLIN, "2026-10-25T02:00:00+02:00", 4)

    assert spring[:2] == ["2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00"]
    assert autumn[1:3] == ["2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00"]


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Africa/Cairo", "UTC"])
@pytest.mark.parametrize("value", ["15 0 * * *", "*/20 * * * *", "0 */6 * * *"])
def test_each_run_of_a_year_is_later_than_the_one_before(zone: str, value: str) -> None:
    """J10: no time comes back, whatever the clocks do."""
    begin = at("2026-01-01T00:00:00+00:00")
    days, after = set(), begin
    while after < begin + 366 * DAY:
        following = next_run("cron", value, zone, after)
        assert following is not None
        assert after < following <= after + DAY + 7200
        after = following
        days.add((told(after, zone) or "")[:10])

    assert len(days) >= 365


def test_the_zone_decides_when_a_cron_expression_is_due() -> None:
    """J10: the same words, another place."""
    after = at("2026-06-01T00:00:00+00:00")

    found = [next_run("cron", "0 9 * * *", zone, after) for zone in ("UTC", BERLIN)]

    assert found == [at("2026-06-01T09:00:00+00:00"), at("2026-06-01T07:00:00+00:00")]


@pytest.mark.parametrize(
    ("value", "since", "expected"),
    [
        ("0 9 * * 1-5", "2026-06-05T10:00:00+02:00", "2026-06-08T09:00:00+02:00"),
        ("0 0 29 2 *", "2026-06-05T10:00:00+02:00", "2028-02-29T00:00:00+01:00"),
        ("0 12 L * *", "2026-06-05T10:00:00+02:00", "2026-06-30T12:00:00+02:00"),
        ("0 12 * * MON#2", "2026-06-05T10:00:00+02:00", "2026-06-08T12:00:00+02:00"),
        ("*/10 * * * * *", "2026-06-05T10:00:01+02:00", "2026-06-05T10:00:10+02:00"),
    ],
)
def test_cron_expressions_mean_what_cron_means(
    value: str, since: str, expected: str
) -> None:
    """J10."""
    assert runs(value, BERLIN, since, 1) == [expected]


def test_an_interval_counts_milliseconds_and_keeps_its_beat() -> None:
    """J10, J11: what was missed is one run, and the next is on the beat."""
    first = first_run("interval", "60000", "UTC", 1000.0)
    late = run_after("interval", "60000", "UTC", due=1060.0, now=1310.0)
    exact = run_after("interval", "60000", "UTC", due=1060.0, now=1120.0)

    assert (first, late, exact) == (1060.0, 1360.0, 1180.0)


def test_a_cron_expression_that_was_missed_goes_on_after_now() -> None:
    """J11: many missed times are one run."""
    due, now = at("2026-06-01T09:00:00+02:00"), at("2026-06-04T11:00:00+02:00")

    following = run_after("cron", "0 9 * * *", BERLIN, due, now)

    assert told(following) == "2026-06-05T09:00:00+02:00"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-15T14:00:00", "2026-03-15T13:00:00+00:00"),
        ("2026-07-15T14:00:00", "2026-07-15T12:00:00+00:00"),
        ("2026-07-15T14:00:00Z", "2026-07-15T14:00:00+00:00"),
        ("2026-07-15T14:00:00+05:30", "2026-07-15T08:30:00+00:00"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00+00:00"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_once_is_read_in_the_zone_unless_it_names_an_offset(
    value: str, expected: str
) -> None:
    """J10."""
    assert once_at(value, BERLIN) == at(expected)


def test_once_is_due_once_even_if_it_is_in_the_past() -> None:
    """J10, J11."""
    value, now = "2026-03-15T14:00:00Z", at("2027-01-01T00:00:00Z")

    due = first_run("once", value, "UTC", now)

    assert due == at("2026-03-15T14:00:00Z")
    assert next_run("once", value, "UTC", due - 1) == due
    assert next_run("once", value, "UTC", due) is None
    assert run_after("once", value, "UTC", due, now) is None


@pytest.mark.parametrize(
    ("kind", "value", "zone", "part"),
    [
        ("cron", "", "UTC", "no cron expression"),
        ("cron", "0 9 * *", "UTC", "Wrong number of fields"),
        ("cron", "61 * * * *", "UTC", "Bad minute"),
        ("cron", "* * * * \ud800", "UTC", "no cron expression"),
        ("cron", "*" * 300, "UTC", "no cron expression"),
        ("cron", "0 0 30 2 *", "UTC", "Bad day-of-month"),
        ("interval", "0", "UTC", "no interval"),
        ("interval", "-1000", "UTC", "no interval"),
        ("interval", "1e9", "UTC", "no interval"),
        ("interval", "\uff19" * 4, "UTC", "no interval"),
        ("interval", "9" * 200, "UTC", "no interval"),
        ("once", "tomorrow", "UTC", "ISO 8601"),
        ("once", "0001-01-01T00:00:00+14:00", "UTC", "ISO 8601"),
        ("once", "9999-12-31T23:59:59-12:00", "UTC", "ISO 8601"),
        ("once", "2026-03-15" + " " * 300, "UTC", "ISO 8601"),
        ("cron", "0 9 * * *", "Europe", "no time zone"),
        ("cron", "0 9 * * *", "../../etc/passwd", "no time zone"),
        ("cron", "0 9 * * *", "Mars/Olympus", "no time zone"),
        ("interval", "60000", "", "no time zone"),
    ],
)
def test_what_means_nothing_is_refused_with_what_to_write(
    kind: Kind, value: str, zone: str, part: str
) -> None:
    """J10: 400."""
    with pytest.raises(TaskInvalid, match=part):
        first_run(kind, value, zone, 0.0)


def test_a_time_that_never_comes_is_refused_soon() -> None:
    """J10: the search for it ends."""
    began = datetime.now(UTC)

    with pytest.raises(TaskInvalid, match="is due on no day"):
        first_run("cron", "0 0 */31 4 1#5", "UTC", 0.0)

    assert datetime.now(UTC) - began < timedelta(seconds=5)
