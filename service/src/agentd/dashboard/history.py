# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What went on over time: usage, sweeps and webhooks."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from agentd.api.state import Service, ServiceDep
from agentd.dashboard.plot import Plot, Row, plot_of, rows_by
from agentd.dashboard.render import page
from agentd.dashboard.routing import pages
from agentd.dashboard.shown import (
    MAX_OFFSET,
    Found,
    asked_page,
    listed,
    outcome_badge,
)
from agentd.database.dashboard_figures import Sample, Span, last_usage, usage_over
from agentd.database.dashboard_lists import shown_events, shown_sweeps

STEPS = 84
SMALL_STEPS = 42
SHOWN_ROWS = 24
DAY = 86_400
SPANS = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY, "quarter": 90 * DAY}
SOURCES = ("forgejo", "github", "jira")
NO_SAMPLES_SECONDS = 600

router = pages()

Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]
Word = Annotated[str, Query(max_length=64)]
OneSpan = Annotated[Literal["day", "week", "month", "quarter"], Query()]


@router.get("/usage")
async def usage(
    request: Request, service: ServiceDep, span: OneSpan = "week", agent: Word = ""
) -> Response:
    """Show what is used, and how that went."""
    one = service.settings.agent(agent).name if agent else None
    whole = _span(service, SPANS[span], STEPS)
    samples = await _samples(service, whole, one)
    rows = rows_by(samples, agent=one is None)
    async with service.database.read() as connection:
        latest = await connection.run_sync(last_usage, every_seconds(service), one)
    values = {
        "spans": tuple(SPANS),
        "span": span,
        "agent": one,
        "agents": _names(service),
        "plot": plot_of(rows, whole, _limit(service, one)),
        "rows": _thinned(rows),
        "latest": _by_area(latest),
        "at": None if latest is None else latest.at,
        "limit": service.settings.usage.limit_bytes,
        "warn": service.settings.usage.warn_bytes,
        "takes_samples": service.settings.usage.sample_minutes > 0,
    }
    return await page(request, "usage", values)


@router.get("/sweeps")
async def sweeps(request: Request, service: ServiceDep, offset: Offset = 0) -> Response:
    """Show what was swept."""
    wanted = asked_page(offset)
    async with service.database.read() as connection:
        found = await connection.run_sync(shown_sweeps, wanted)
    values = {
        "listed": listed(found, wanted, Found(request.url.path, {})),
        "interval": service.settings.sweep.interval_hours,
    }
    return await page(request, "sweeps", values)


@router.get("/webhooks")
async def webhooks(
    request: Request,
    service: ServiceDep,
    source: Word = "",
    repository: Annotated[str, Query(max_length=256)] = "",
    offset: Offset = 0,
) -> Response:
    """Show which webhooks came, and what became of each."""
    wanted = asked_page(offset)
    chosen = {"source": source or None, "repository": repository.strip() or None}

    async with service.database.read() as connection:
        found = await connection.run_sync(shown_events, chosen, wanted)
    events = [(one, outcome_badge(one.outcome)) for one in found]
    shown = listed(events, wanted, Found(request.url.path, chosen))
    values = {"listed": shown, "chosen": chosen, "sources": SOURCES}
    return await page(request, "webhooks", values)


async def usage_plot(
    service: Service, seconds: float, agent: str | None
) -> Plot | None:
    """Return the drawing of what was used in so many seconds until now."""
    span, limit = _span(service, seconds, SMALL_STEPS), _limit(service, agent)
    samples = await _samples(service, span, agent)
    return plot_of(rows_by(samples, agent=agent is None), span, limit)


def every_seconds(service: Service) -> float:
    """Return how long it is between two samples."""
    return service.settings.usage.sample_minutes * 60 or NO_SAMPLES_SECONDS


async def _samples(service: Service, span: Span, agent: str | None) -> list[Sample]:
    async with service.database.read() as connection:
        return await connection.run_sync(usage_over, span, agent)


def _span(service: Service, seconds: float, steps: int) -> Span:
    now = service.clock.now()
    return Span(now - seconds, now, steps, every_seconds(service))


def _limit(service: Service, agent: str | None) -> int | None:
    """Return the limit of an agent; all of them together have none."""
    return None if agent is None else service.settings.usage.limit_bytes


def _names(service: Service) -> list[str]:
    return [entry.name for entry in service.settings.agents]


def _thinned(rows: list[Row]) -> list[Row]:
    """Return a table that can be read: the latest first, and not each sample."""
    step = -(-len(rows) // SHOWN_ROWS) or 1
    return rows[::-1][::step]


def _by_area(latest: Sample | None) -> list[tuple[str, str, int, int]]:
    if latest is None:
        return []
    found = [
        (owner, area, size, files)
        for (owner, area), (size, files) in latest.amounts.items()
    ]
    return sorted((one for one in found if one[2]), key=lambda one: (one[0], -one[2]))
