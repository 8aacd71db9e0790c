# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The bodies that tell of sessions and their transcripts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agentd.api.bodies import Label

Verdict = Literal["sound", "damaged", "unusable", "missing", "foreign", "unknown"]


class FaultBody(BaseModel):
    """One kind of damage in a transcript."""

    kind: str
    count: int
    first_line: int | None = None


class TranscriptBody(BaseModel):
    """What the agent's side found on disk."""

    verdict: Verdict
    bytes: int
    lines: int
    faults: list[FaultBody]


class SessionBody(BaseModel):
    """The session that a conversation goes on in."""

    session_id: str
    conversation_id: str
    agent: str
    repository: str | None
    issue: str | None
    durable: bool = Field(description="Whether a turn of it was ever found on disk.")
    live: bool = Field(description="Whether a live client holds it now.")
    resumable: bool | None = Field(
        description="Whether it would go on; null if nobody looked."
    )
    why: str
    stored_bytes: int | None = Field(
        description="What the database keeps of its transcript; null if nothing, "
        "so that only its agent's own disk has it."
    )
    updated_at: str
    transcript: TranscriptBody | None = Field(description="Only with scan.")


class OrphanBody(BaseModel):
    """A transcript of a session that no conversation has."""

    agent: str
    session_id: str
    bytes: int
    modified: str | None


class SessionsAnswer(BaseModel):
    """Sessions, the latest first, and with scan the halves that have no other."""

    sessions: list[SessionBody]
    scanned: bool
    more: bool = Field(description="Whether there are more; ask with offset.")
    orphans: list[OrphanBody]
    problems: list[str] = Field(description="What could not be looked at, and why.")


class RepairBody(BaseModel):
    """Whose transcript is meant."""

    model_config = ConfigDict(extra="forbid")

    agent: Label | None = Field(
        default=None,
        description="The agent; needed for a session that no conversation has.",
    )


class RepairAnswer(BaseModel):
    """What was repaired; the damaged original lies beside."""

    session_id: str
    agent: str
    repaired: bool
    kept: str | None = Field(description="Where the original lies.")
    verdict: Verdict
    faults: list[FaultBody]


class DroppedAnswer(BaseModel):
    """How many sessions were forgotten; their transcripts stay on disk."""

    repository: str
    issue: str
    dropped: int
