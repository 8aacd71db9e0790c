# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""GET /usage: what the agents' state and the deployment itself take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints

from agentd.api.errors import refusals
from agentd.api.queue_bodies import Moment as Written
from agentd.api.state import Service, ServiceDep
from agentd.api.times import LATEST, iso
from agentd.api.usage_bodies import (
    AmountBody,
    SampleBody,
    SamplesAnswer,
    UsageAnswer,
    UsageBody,
)
from agentd.database.usage import SampleWish, list_samples
from agentd.samples.values import DEPLOYMENT, Usage, level_of

LOOK_SECONDS = 10.0
DAY_SECONDS = 86_400.0

router = APIRouter(tags=["usage"])

# No letter that a database refuses to compare.
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,64}$")]
MaxAge = Annotated[
    float,
    Query(ge=0, le=86_400, description="What is older is counted anew, up to 10 s."),
]
Moment = Annotated[Written | None, Query(description="In ISO 8601 with an offset.")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="How many at most.")]


@dataclass(frozen=True)
class Of:
    """Whose samples are wanted."""

    agent: Annotated[
        Word | None, Query(description="Only of this agent; empty: the deployment's.")
    ] = None
    area: Annotated[Word | None, Query(description="Only of this area.")] = None
    host: Annotated[Word | None, Query(description="Only of this host.")] = None


@router.get("/usage", responses=refusals(400, 401))
async def get_usage(service: ServiceDep, max_age_seconds: MaxAge = 60) -> UsageAnswer:
    """Return what each agent and the deployment itself take at this host.

    What agents take is a claim from their containers.
    """
    failed = await service.usage.look(max_age_seconds, LOOK_SECONDS)
    known = service.usage.known()
    names = [entry.name for entry in service.settings.agents]
    totals = [one.total for name, one in known.items() if name in (DEPLOYMENT, *names)]
    limits = service.settings.usage
    return UsageAnswer(
        host=service.presence.name,
        bytes=sum(one.bytes for one in totals),
        files=sum(one.files for one in totals),
        warn_bytes=limits.warn_bytes,
        limit_bytes=limits.limit_bytes,
        deployment=_body(service, DEPLOYMENT, known.get(DEPLOYMENT)),
        agents=[_body(service, name, known.get(name)) for name in names],
        problems=[
            f'Agent "{name}": {reason}' if name else reason
            for name, reason in sorted(failed.items())
        ]
        + [
            f'Agent "{name}" is not connected; it is told as it was seen last.'
            for name, state in sorted(service.spawner.states().items())
            if not state.connected
        ],
    )


@router.get("/usage/samples", responses=refusals(400, 401, 503))
async def get_samples(
    service: ServiceDep,
    of: Annotated[Of, Depends()],
    since: Moment = None,
    until: Moment = None,
    limit: Limit = 1000,
) -> SamplesAnswer:
    """Return what was taken over time, of all hosts: of the last day without since."""
    now = service.clock.now()
    wish = SampleWish(
        since=_seconds(since, now - DAY_SECONDS),
        until=_seconds(until, LATEST),
        limit=limit + 1,
        agent=of.agent,
        area=of.area,
        host=of.host,
    )
    async with service.database.read() as connection:
        rows = await connection.run_sync(lambda c: list_samples(c, wish))
    return SamplesAnswer(
        samples=[
            SampleBody(
                at=iso(at),
                host=where,
                agent=name or None,
                area=part,
                bytes=size,
                files=files,
            )
            for at, where, name, part, size, files in rows[:limit]
        ],
        more=len(rows) > limit,
    )


def _body(service: Service, name: str, usage: Usage | None) -> UsageBody:
    known = usage or Usage(at=0.0)
    level = level_of(usage, service.settings.usage)
    total = known.total
    return UsageBody(
        agent=name or None,
        at=None if usage is None else iso(usage.at),
        bytes=total.bytes,
        files=total.files,
        # The limits are those of an agent.
        level=level if name or usage is None else "ok",
        areas={
            area: AmountBody(bytes=amount.bytes, files=amount.files)
            for area, amount in known.areas.items()
        },
        seconds=known.seconds,
        whole=known.whole,
        problems=list(known.problems),
    )


def _seconds(moment: datetime | None, default: float) -> float:
    return default if moment is None else moment.timestamp()
