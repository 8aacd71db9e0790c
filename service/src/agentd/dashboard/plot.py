# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Usage over time as stacked areas: where each line of a drawing goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agentd.api.times import iso
from agentd.dashboard.words import amount, clock_time
from agentd.database.dashboard_figures import Sample, Span

WIDTH, HEIGHT = 1000.0, 200.0
MAX_SERIES = 8
OTHER = "others"
NICE = (1, 2, 4, 5, 10, 20, 50, 100, 200, 250, 500)
DAY = 86_400
MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


@dataclass(frozen=True)
class Series:
    """One colour of a drawing: a name, its outline, and what it is at the end."""

    name: str
    number: int
    outline: str
    latest: int


@dataclass(frozen=True)
class Tick:
    """A line across, or a time: a share of the height or width, and its words."""

    share: float
    words: str


@dataclass(frozen=True)
class Column:
    """What is told of one sample: where it is, and what it says."""

    x: float
    width: float
    words: str


@dataclass(frozen=True)
class Plot:
    """A drawing, and the words around it."""

    series: Sequence[Series]
    across: Sequence[Tick]
    times: Sequence[Tick]
    columns: Sequence[Column]
    limit: float | None = None
    width: float = WIDTH
    height: float = HEIGHT
    words: str = ""


@dataclass(frozen=True)
class Row:
    """A sample as bytes by name."""

    at: float
    amounts: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return all of it."""
        return sum(self.amounts.values())


def rows_by(samples: Sequence[Sample], *, agent: bool) -> list[Row]:
    """Return samples summed for each agent, or for each area."""
    found = []
    for sample in samples:
        sums: dict[str, int] = {}
        for (owner, area), (size, _files) in sample.amounts.items():
            name = (owner or "deployment") if agent else area
            sums[name] = sums.get(name, 0) + size
        found.append(Row(sample.at, sums))
    return found


def plot_of(rows: Sequence[Row], span: Span, limit: int | None = None) -> Plot | None:
    """Return the drawing of rows, the largest series at the bottom; None of none."""
    if not rows:
        return None
    names = _names(rows)
    folded = [_folded(row, names) for row in rows]
    highest = max(row.total for row in folded)
    # A limit far above would press all else to the ground.
    drawn = limit if limit is not None and limit <= 4 * max(highest, 1) else None
    step = _step(max(highest, drawn or 0, 1))
    top = step * math.ceil(max(highest, drawn or 0, 1) / step)
    return Plot(
        series=_series(folded, names, span, top),
        across=[
            Tick(1 - line * step / top, amount(line * step))
            for line in range(round(top / step) + 1)
        ],
        times=_times(span),
        columns=_columns(folded, span),
        limit=None if drawn is None else HEIGHT * (1 - drawn / top),
        words=_words(folded),
    )


def _names(rows: Sequence[Row]) -> list[str]:
    most: dict[str, int] = {}
    for row in rows:
        for name, size in row.amounts.items():
            most[name] = max(most.get(name, 0), size)
    ordered = sorted(most, key=lambda name: (-most[name], name))
    if len(ordered) <= MAX_SERIES:
        return ordered
    return [*ordered[: MAX_SERIES - 1], OTHER]


def _folded(row: Row, names: Sequence[str]) -> Row:
    kept = {name: row.amounts.get(name, 0) for name in names}
    rest = sum(size for name, size in row.amounts.items() if name not in kept)
    if rest:
        kept[OTHER] = kept.get(OTHER, 0) + rest
    return Row(row.at, kept)


def _step(highest: int) -> float:
    unit = 1.0
    while highest / unit >= 1024:
        unit *= 1024
    return next((n * unit for n in NICE if highest / (n * unit) <= 4), 1024 * unit)


def _x(at: float, span: Span) -> float:
    share = (at - span.begin) / (span.end - span.begin)
    return WIDTH * min(max(share, 0.0), 1.0)


def _series(
    rows: Sequence[Row], names: Sequence[str], span: Span, top: float
) -> list[Series]:
    places = [_x(row.at, span) for row in rows]
    if len(rows) == 1:
        # One sample is no line: it is drawn as wide as a step.
        rows, half = [*rows, *rows], WIDTH / span.steps / 2
        places = [max(places[0] - half, 0.0), min(places[0] + half, WIDTH)]
    below = [0] * len(rows)
    found = []
    for number, name in enumerate(names, start=1):
        above = [
            under + row.amounts.get(name, 0)
            for under, row in zip(below, rows, strict=True)
        ]
        upper = _points(places, above, top)
        lower = _points(places, below, top)[::-1]
        outline = "M" + "L".join([*upper, *lower]) + "Z"
        found.append(Series(name, number, outline, rows[-1].amounts.get(name, 0)))
        below = above
    return found


def _points(places: Sequence[float], sizes: Sequence[int], top: float) -> list[str]:
    return [
        f"{x:.1f} {HEIGHT * (1 - size / top):.1f}"
        for x, size in zip(places, sizes, strict=True)
    ]


def _columns(rows: Sequence[Row], span: Span) -> list[Column]:
    places = [_x(row.at, span) for row in rows]
    edges = [
        0.0,
        *((one + two) / 2 for one, two in pairwise(places)),
        WIDTH,
    ]
    return [
        Column(edges[place], edges[place + 1] - edges[place], _told(row))
        for place, row in enumerate(rows)
    ]


def _told(row: Row) -> str:
    parts = [f"{name} {amount(size)}" for name, size in row.amounts.items() if size]
    return f"{clock_time(row.at)}: {amount(row.total)}\n" + "\n".join(parts)


def _times(span: Span) -> list[Tick]:
    length = span.end - span.begin
    return [
        Tick(share / 4, _date(span.begin + length * share / 4, length))
        for share in range(5)
    ]


def _date(at: float, length: float) -> str:
    text = iso(at)
    if length <= 1.5 * DAY:
        return text[11:16]
    month = 3 * int(text[5:7])
    return f"{int(text[8:10])} {MONTHS[month - 3 : month]}"


def _words(rows: Sequence[Row]) -> str:
    first, last = rows[0], rows[-1]
    return (
        f"From {amount(first.total)} at {clock_time(first.at)} to "
        f"{amount(last.total)} at {clock_time(last.at)}. The table has the figures."
    )
