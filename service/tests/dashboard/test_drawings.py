# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Drawings of usage, and numbers, times and foreign words as pages show them."""

from __future__ import annotations

import re

import pytest

from agentd.dashboard import words
from agentd.dashboard.plot import HEIGHT, MAX_SERIES, WIDTH, Row, plot_of, rows_by
from agentd.database.dashboard_figures import Sample, Span

DAY = 86_400.0
SPAN = Span(begin=1_700_000_000.0, end=1_700_000_000.0 + DAY, steps=48, every=600.0)
GIB = 1024**3


def points(outline: str) -> list[tuple[float, float]]:
    return [
        (float(x), float(y)) for x, y in re.findall(r"([\d.-]+) ([\d.-]+)", outline)
    ]


def rows(*sizes: dict[str, int]) -> list[Row]:
    step = DAY / max(len(sizes), 1)
    return [Row(SPAN.begin + step * place, one) for place, one in enumerate(sizes)]


def test_without_samples_there_is_no_drawing() -> None:
    assert plot_of([], SPAN) is None


@pytest.mark.parametrize("most", [100, 101, 4 * GIB - 1, int(2.1 * GIB)])
@pytest.mark.parametrize("share", [0.5, 1.0, 2.5, 4.0])
def test_the_lines_across_stay_apart_also_below_a_limit(
    most: int, share: float
) -> None:
    drawn = plot_of(rows({"trees": most}), SPAN, limit=int(most * share))

    assert drawn is not None
    assert drawn.limit is not None
    assert 2 <= len(drawn.across) <= 6


@pytest.mark.parametrize(
    "found",
    [
        rows({"trees": 5 * GIB}),
        rows({"trees": 0}, {"trees": 0}),
        rows({"trees": 1}, {"memory": 2**60}, {}),
        rows(*({f"agent{n}": n * GIB for n in range(30)} for _row in range(3))),
    ],
)
def test_nothing_is_drawn_outside_of_the_drawing(found: list[Row]) -> None:
    drawn = plot_of(found, SPAN, limit=3 * GIB)

    assert drawn is not None
    assert len(drawn.series) <= MAX_SERIES
    for series in drawn.series:
        assert all(
            0 <= x <= WIDTH and -0.1 <= y <= HEIGHT + 0.1
            for x, y in points(series.outline)
        )
    assert 2 <= len(drawn.across) <= 6
    assert drawn.across[0].share == 1
    assert drawn.across[-1].share == 0
    assert sum(column.width for column in drawn.columns) == pytest.approx(WIDTH)


def test_areas_stand_on_each_other_and_small_ones_are_together() -> None:
    sizes = {f"area{n}": (10 - n) * GIB for n in range(10)}
    drawn = plot_of(rows(sizes, sizes), SPAN)

    assert drawn is not None
    assert [one.name for one in drawn.series][-1] == "others"
    assert sum(one.latest for one in drawn.series) == sum(sizes.values())
    for under, over in zip(drawn.series, drawn.series[1:], strict=False):
        top, bottom = points(under.outline)[0], points(over.outline)[-1]
        assert bottom == top


def test_a_limit_that_is_far_away_does_not_flatten_the_drawing() -> None:
    near = plot_of(rows({"trees": GIB}), SPAN, limit=2 * GIB)
    far = plot_of(rows({"trees": GIB}), SPAN, limit=500 * GIB)

    assert near is not None
    assert near.limit == pytest.approx(0)
    assert far is not None
    assert far.limit is None


def test_samples_are_summed_by_agent_or_by_area() -> None:
    amounts = {("main", "trees"): (3, 1), ("", "database"): (4, 1)}
    sample = Sample(SPAN.begin, {**amounts, ("main", "memory"): (5, 1)})

    by_agent = rows_by([sample], agent=True)[0].amounts
    by_area = rows_by([sample], agent=False)[0].amounts

    assert by_agent == {"main": 8, "deployment": 4}
    assert by_area == {"trees": 3, "database": 4, "memory": 5}


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (words.amount(0), "0 B"),
        (words.amount(1023), "1023 B"),
        (words.amount(1024**2 - 1), "1.0 MiB"),
        (words.amount(1.5 * GIB), "1.5 GiB"),
        (words.amount(2**70), "1048576.0 PiB"),
        (words.amount(None), "\u2013"),
        (words.count(1234567), "1\u202f234\u202f567"),
        (words.span(0.04), "0.0 s"),
        (words.span(61), "1 min"),
        (words.span(21_600), "6 h"),
        (words.ago(100, 103), "just now"),
        (words.ago(0, 7300), "2 h ago"),
        (words.ago(7300, 0), "in 2 h"),
        (words.short_id("conv-12345678-90ab"), "conv-12345678"),
        (words.short_id("a" * 90), "a" * 23 + "…"),
        (words.brief("one\n two\t" * 90, 10), "one two o…"),
        (words.plain("a\u202eb\x00c\ud800d\ne"), "a\ufffdb\ufffdc\ufffdd\ne"),
        (words.clock_time(1e15), "9999-12-31 23:59 UTC"),
    ],
)
def test_numbers_times_and_words_are_told_shortly(shown: str, told: str) -> None:
    assert shown == told


def test_long_words_are_cut() -> None:
    assert len(words.plain("x" * 10**6)) == words.MAX_CHARACTERS + 1
