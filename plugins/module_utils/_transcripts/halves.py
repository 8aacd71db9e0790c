# Copyright: (c) 2026, The Agentkeep authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stored session ids and the transcripts on disk, put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from .._errors import ServiceRefused
from .verdict import MISSING, UNKNOWN, Fault, Verdict


@dataclass(frozen=True)
class Transcript:
    """Hold a session's transcript as it lies on the host."""

    service: str
    agent: str | None
    session: str
    path: str
    verdict: Verdict
    modified: float
    copies: int = 1


@dataclass(frozen=True)
class Stored:
    """Hold a session id that the service keeps, and the conversation it is for."""

    agent: str
    session: str
    conversation: str
    durable: bool


@dataclass(frozen=True)
class Kept:
    """Hold the ids that the service keeps, and when it was asked for them."""

    stored: Sequence[Stored]
    at: float


@dataclass(frozen=True)
class Session:
    """Hold one session: its transcript, its conversation, or both.

    ``kept`` says whether the service keeps its id; None if that is not known.
    ``looked`` is false where not all transcripts of its agent could be looked at.
    """

    transcript: Transcript | None = None
    stored: Stored | None = None
    kept: bool | None = True
    looked: bool = True

    @property
    def verdict(self) -> Verdict:
        """Return the verdict on the session."""
        if self.transcript is not None:
            return self.transcript.verdict
        if not self.looked:
            return Verdict(UNKNOWN, (Fault("not_looked"),))
        return Verdict(MISSING, (Fault("gone"),))

    @property
    def name(self) -> str:
        """Return the session's id."""
        half = self.transcript or self.stored
        return half.session if half else ""

    @property
    def is_lost(self) -> bool:
        """Return whether a conversation relies on it and cannot go on in it."""
        if self.stored is None or not self.stored.durable:
            return False
        return not self.verdict.resumable and self.verdict.word != UNKNOWN

    def for_output(self) -> dict[str, Any]:
        """Return what the module returns."""
        transcript, stored, verdict = self.transcript, self.stored, self.verdict
        half = transcript or stored
        return {
            "agent": half.agent if half else None,
            "session_id": self.name,
            "conversation_id": stored.conversation if stored else None,
            "stored": self.kept,
            "durable": stored.durable if stored else None,
            "verdict": verdict.word,
            "resumable": verdict.resumable,
            "why": verdict.why,
            "faults": [fault.for_output() for fault in verdict.faults],
            "path": transcript.path if transcript else None,
            "bytes": verdict.bytes,
            "lines": verdict.lines,
            "modified": transcript.modified if transcript else None,
            "copies": transcript.copies if transcript else 0,
        }


def stored_of(body: Any) -> tuple[Stored, ...]:
    """Given an answer that lists sessions, return the stored ids; raise."""
    rows = body.get("sessions") if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ServiceRefused(
            "Cannot list the sessions",
            "the answer is not what agentd answers",
            "Check that url is the address of control and that it is not older than "
            "this collection.",
        )
    return tuple(
        Stored(
            agent=str(row.get("agent")),
            session=str(row["session_id"]),
            conversation=str(row.get("conversation_id")),
            durable=row.get("durable") is not False,
        )
        for row in rows
        if row.get("session_id")
    )


@dataclass(frozen=True)
class Together:
    """Hold every session, and how many there are of each verdict."""

    sessions: tuple[Session, ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    def for_output(self) -> dict[str, Any]:
        """Return what the module returns."""
        return {
            "sessions": [one.for_output() for one in self.sessions],
            "counts": dict(self.counts),
            "lost": [one.for_output() for one in self.sessions if one.is_lost],
            "without_transcript": [
                one.name for one in self.sessions if one.verdict.word == MISSING
            ],
            "without_id": [one.name for one in self.sessions if one.kept is False],
        }


def together(
    transcripts: Iterable[Transcript], answer: Kept | None, looked: frozenset[str]
) -> Together:
    """Put both halves together; *looked* are the agents all of whose were looked at.

    A transcript that changed since the service was asked may be of a newer session.
    """
    left = {(one.agent, one.session): one for one in (answer.stored if answer else ())}
    found = []
    for one in transcripts:
        stored = left.pop((one.agent or "", one.session), None)
        kept: bool | None = stored is not None
        if answer is None or (stored is None and one.modified >= answer.at):
            kept = None
        found.append(Session(one, stored, kept))
    found += [
        Session(None, one, looked=one.agent in looked)
        for one in sorted(left.values(), key=lambda one: (one.agent, one.session))
    ]
    counts: dict[str, int] = {}
    for session in found:
        counts[session.verdict.word] = counts.get(session.verdict.word, 0) + 1
    return Together(tuple(found), counts)
