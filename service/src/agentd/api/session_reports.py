# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What agents say of their transcripts, and what follows for their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from agentd.api.session_bodies import (
    FaultBody,
    OrphanBody,
    SessionBody,
    TranscriptBody,
    Verdict,
)
from agentd.api.times import iso, iso_or_null
from agentd.database.sessions import KnownSession
from agentd.sessions.identity import canonical_uuid
from agentd.spawner.calls import printable

MAX_FAULTS = 50
WHY: dict[str, tuple[bool | None, str]] = {
    "sound": (True, "Its transcript is sound."),
    "damaged": (True, "Its transcript is damaged and would be read; repair it."),
    "unusable": (False, "Its transcript cannot be read; repair it."),
    "missing": (False, "Its transcript is not on disk; the next turn begins anew."),
    "foreign": (False, "Its transcript is of another session."),
    "unknown": (None, "Its agent answered what is no verdict."),
}
LIVE = "A live client holds it."
STORED = "It is not on this disk; the next turn puts it there from the database."
NOT_LOOKED = "Nobody looked; ask with scan=true."
NOT_ANSWERED = "Its agent did not tell; see problems."
NEVER_PROVED = "No turn of it was found on disk yet; ask with scan=true."


@dataclass(frozen=True)
class Look:
    """What was seen of a session: a live client, a scan, a copy in the database."""

    live: bool
    scanned: bool
    scan: Mapping[str, object] | None = None
    stored_bytes: int | None = None


def session_body(known: KnownSession, look: Look) -> SessionBody:
    """Return what is known of a session, beside what its agent found."""
    transcript = None if look.scan is None else read_transcript(look.scan)
    resumable, why = _judged(known, transcript, look.scanned)
    missing = transcript is not None and transcript.verdict == "missing"
    if missing and look.stored_bytes:
        resumable, why = True, STORED
    # A client that lives needs no transcript to go on; a lost one shows all the same.
    if look.live and resumable is not False:
        resumable, why = True, LIVE
    return SessionBody(
        session_id=known.session.session_id,
        conversation_id=known.conversation_id,
        agent=known.agent,
        repository=known.repository,
        issue=known.issue,
        durable=known.session.durable,
        live=look.live,
        resumable=resumable,
        why=why,
        stored_bytes=look.stored_bytes,
        updated_at=iso(known.updated_at),
        transcript=transcript,
    )


def _judged(
    known: KnownSession, transcript: TranscriptBody | None, scanned: bool
) -> tuple[bool | None, str]:
    if transcript is not None:
        return WHY[transcript.verdict]
    if scanned:
        return None, NOT_ANSWERED
    return None, NOT_LOOKED if known.session.durable else NEVER_PROVED


def read_transcript(answer: Mapping[str, object]) -> TranscriptBody:
    """Return what an agent says of one transcript, whatever shape it has."""
    return TranscriptBody(
        verdict=read_verdict(answer.get("verdict")),
        bytes=_count(answer.get("bytes")),
        lines=_count(answer.get("lines")),
        faults=read_faults(answer.get("faults")),
    )


def read_verdict(found: object) -> Verdict:
    """Return a verdict, or unknown for what is none."""
    return cast(Verdict, found) if found in get_args(Verdict) else "unknown"


def read_faults(found: object) -> list[FaultBody]:
    """Return the damages that an answer lists."""
    if not isinstance(found, list):
        return []
    return [
        FaultBody(
            kind=printable(one.get("kind")),
            count=_count(one.get("count")),
            first_line=_count(one.get("first_line")) or None,
        )
        for one in found[:MAX_FAULTS]
        if isinstance(one, dict)
    ]


def read_listed(agent: str, found: object) -> list[OrphanBody]:
    """Return the transcripts that an agent's page lists, with ids that are some."""
    listed = found if isinstance(found, list) else []
    rows = [one for one in listed if isinstance(one, dict)]
    return [
        OrphanBody(
            agent=agent,
            session_id=session_id,
            bytes=_count(one.get("bytes")),
            modified=iso_or_null(_moment(one.get("modified"))),
        )
        for one in rows
        if (session_id := canonical_uuid(one.get("session_id"))) is not None
    ]


def _count(found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int):
        return 0
    return min(max(found, 0), 2**53)


def _moment(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if 0 <= found < 1e12 else None
