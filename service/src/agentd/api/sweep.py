# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""POST /sweep and GET /sweeps: what is removed after a time, now or lately."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from agentd.api.errors import refusals
from agentd.api.state import ServiceDep
from agentd.api.times import iso, iso_or_null
from agentd.database.sweeps import list_sweeps
from agentd.sweep.values import Candidate, Kind, Reason, Sweep

router = APIRouter(tags=["sweeps"])

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=100_000, description="How many to leave out.")]


class SweepWishBody(BaseModel):
    """How to sweep."""

    model_config = ConfigDict(extra="forbid")

    dry_run: Annotated[
        bool, Field(strict=True, description="Only tell what would go.")
    ] = False


class CountsBody(BaseModel):
    """How many of each went, or would."""

    sessions: int = 0
    trees: int = 0
    clones: int = Field(default=0, description="Always 0: clones are kept.")
    recovered: int = 0
    transcripts: int = 0
    files: int = 0
    bytes: int = 0
    skipped: int = 0
    questions: int = 0


class SweepBody(BaseModel):
    """One sweep of one host."""

    number: int
    started_at: str
    finished_at: str | None = Field(description="Null while it runs.")
    host: str
    asked_by: Literal["interval", "request"]
    dry_run: bool
    counts: CountsBody
    problems: list[str] = Field(description="Why something was left as it is.")


class CandidateBody(BaseModel):
    """Something that went, or would; count things of it where it is several."""

    kind: Kind
    reason: Reason
    agent: str
    repository: str | None
    issue: str | None
    branch: str | None
    name: str | None = Field(description="The session, or the kind of files.")
    count: int
    bytes: int | None


class SweptAnswer(SweepBody):
    """A sweep that ended, with what went, or would."""

    candidates: list[CandidateBody]
    more_candidates: bool = Field(description="Whether there were more than are told.")


class SweepsAnswer(BaseModel):
    """Sweeps, the newest first."""

    sweeps: list[SweepBody]


@router.post("/sweep", responses=refusals(400, 401, 409, 413, 503))
async def post_sweep(
    service: ServiceDep, body: SweepWishBody | None = None
) -> SweptAnswer:
    """Remove what is closed, too old or nobody's of this host's agents, now.

    The answer comes at the sweep's end. What could not be removed is counted as
    skipped, and no failure of the sweep.
    """
    dry_run = body is not None and body.dry_run
    swept = await service.sweeper.sweep("request", dry_run=dry_run)
    return SweptAnswer(
        **_body(swept.sweep).model_dump(),
        candidates=[_candidate(one) for one in swept.candidates],
        more_candidates=swept.more_candidates,
    )


@router.get("/sweeps", responses=refusals(400, 401, 503))
async def get_sweeps(
    service: ServiceDep, limit: Limit = 20, offset: Offset = 0
) -> SweepsAnswer:
    """Return the sweeps of all hosts, the newest first."""
    async with service.database.read() as connection:
        found = await list_sweeps(connection, limit=limit, offset=offset)
    return SweepsAnswer(sweeps=[_body(one) for one in found])


def _body(sweep: Sweep) -> SweepBody:
    return SweepBody.model_validate(
        {
            "number": sweep.number,
            "started_at": iso(sweep.started_at),
            "finished_at": iso_or_null(sweep.finished_at),
            "host": sweep.host,
            "asked_by": sweep.asked_by,
            "dry_run": sweep.dry_run,
            "counts": sweep.counts,
            "problems": sweep.problems,
        }
    )


def _candidate(one: Candidate) -> CandidateBody:
    return CandidateBody(
        kind=one.kind,
        reason=one.reason,
        agent=one.agent,
        repository=one.repository,
        issue=one.issue,
        branch=one.branch,
        name=one.name,
        count=one.count,
        bytes=one.bytes,
    )
