# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What playbooks tell of backups, drills and the like, so that it can be seen."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from agentd.api.errors import refusals
from agentd.api.state import ServiceDep
from agentd.api.times import LATEST, iso, iso_or_null
from agentd.database.records import Record, Value, list_records, put_record

MAX_DETAIL_CHARACTERS = 8000
TOO_LONG = f"detail has more than {MAX_DETAIL_CHARACTERS} characters. Send less."
NEVER = "at is out of range. Send a time between 1970 and 9999."
IN_FUTURE = "at is more than a day ahead of this host's clock. Correct it."
AHEAD_SECONDS = 86_400

router = APIRouter(tags=["records"])

Kind = Literal["backup", "drill", "migrate", "restore"]
OneKind = Annotated[Kind, Path(description="The kind of work that ended.")]
Word = Annotated[str, Field(max_length=1000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Detail = Word | bool | int | Number | None


class NewRecordBody(BaseModel):
    """How a run of a playbook ended."""

    model_config = ConfigDict(extra="forbid")

    succeeded: Annotated[bool, Field(strict=True, description="Whether it went well.")]
    at: AwareDatetime | None = Field(
        default=None, description="When it ended; now without."
    )
    detail: dict[Annotated[str, Field(max_length=64)], Detail] = Field(
        default_factory=dict,
        max_length=32,
        description="What else is worth seeing, e.g. bytes, snapshot or error.",
    )


class RecordBody(BaseModel):
    """The last run of a kind of work."""

    kind: Kind
    succeeded: bool
    at: str
    succeeded_at: str | None = Field(description="When one last went well.")
    detail: dict[str, Any]


class RecordsAnswer(BaseModel):
    """The last run of each kind of work that was told of."""

    records: list[RecordBody]


@router.get("/records", responses=refusals(401, 503))
async def get_records(service: ServiceDep) -> RecordsAnswer:
    """Return the last backup, drill and the like, as playbooks told."""
    async with service.database.read() as connection:
        found = await connection.run_sync(list_records)
    return RecordsAnswer(records=[_body(one) for one in found])


@router.put("/records/{kind}", responses=refusals(400, 401, 413, 503))
async def put(kind: OneKind, body: NewRecordBody, service: ServiceDep) -> RecordBody:
    """Store how a run ended, and answer the latest one: an older one is not kept."""
    if len(json.dumps(body.detail)) > MAX_DETAIL_CHARACTERS:
        raise HTTPException(400, TOO_LONG)
    at = _time(body.at, service.clock.now())
    detail: dict[str, Value] = dict(body.detail)
    record = Record(kind=kind, at=at, succeeded=body.succeeded, detail=detail)
    return _body(await service.database.do(partial(put_record, record=record)))


def _time(given: datetime | None, now: float) -> float:
    at = now if given is None else given.timestamp()
    if not 0 <= at <= LATEST:
        raise HTTPException(400, NEVER)
    # It would stand for the last one until that time came.
    if at > now + AHEAD_SECONDS:
        raise HTTPException(400, IN_FUTURE)
    return at


def _body(record: Record) -> RecordBody:
    return RecordBody.model_validate(
        {
            "kind": record.kind,
            "succeeded": record.succeeded,
            "at": iso(record.at),
            "succeeded_at": iso_or_null(record.succeeded_at),
            "detail": dict(record.detail),
        }
    )
