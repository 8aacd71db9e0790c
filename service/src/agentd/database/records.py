# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What playbooks told of their last run: one row for each kind of work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from agentd.database.insert import insert_into
from agentd.database.work_tables import records

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Record:
    """How the last run of a kind of work ended, and when one last went well."""

    kind: str
    at: float
    succeeded: bool
    detail: Mapping[str, Value] = field(default_factory=dict)
    succeeded_at: float | None = None


def put_record(connection: Connection, record: Record) -> Record:
    """Store a record and return what is kept: of two runs, the later one."""
    before = get_record(connection, record.kind)
    if before is not None and before.at > record.at:
        return before
    well = None if before is None else before.succeeded_at
    if record.succeeded:
        well = record.at
    values = {
        "at": record.at,
        "succeeded": record.succeeded,
        "detail": json.dumps(dict(record.detail)),
        "succeeded_at": well,
    }
    statement = insert_into(connection, records).values(kind=record.kind, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[records.c.kind], set_=values)
    )
    return Record(record.kind, record.at, record.succeeded, record.detail, well)


def get_record(connection: Connection, kind: str) -> Record | None:
    """Return the record of that kind of work, or None."""
    row = connection.execute(select(records).where(records.c.kind == kind)).first()
    return None if row is None else _record(row)


def list_records(connection: Connection) -> list[Record]:
    """Return the records that were told, by kind."""
    return [
        _record(row) for row in connection.execute(select(records).order_by("kind"))
    ]


def _record(row: Row[Any]) -> Record:
    return Record(
        kind=row.kind,
        at=row.at,
        succeeded=row.succeeded,
        detail=json.loads(row.detail or "{}"),
        succeeded_at=row.succeeded_at,
    )
