# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What becomes of a turn during which control went away.

Its agent's side tells what the transcript holds of it: claims from an agent's
container, so that types are checked and sizes bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentd.sessions.identity import canonical_uuid

MAX_ANSWER_CHARACTERS = 100_000
CUT = "\n[The rest of this answer stands in the transcript only.]"
UNSAID = (
    "The turn was broken off before the message reached the session: control went "
    "away. Say it again."
)
UNFINISHED = (
    "The turn was broken off: control went away and the agent did not bring it to an "
    "end. What was done until then stands in the session. Say how to go on."
)
UNKNOWN = (
    "The turn was broken off: control went away, and whether the agent brought it to "
    "an end could not be found out: {reason} Ask what was done."
)


@dataclass(frozen=True)
class TurnState:
    """What an agent's side tells of one turn."""

    running: bool
    found: bool
    ended: bool
    answer: str | None
    last_uuid: str | None
    truncated: bool
    is_error: bool = False


@dataclass(frozen=True)
class Recovered:
    """What is stored in place of the answer that nobody received."""

    status: str
    content: str
    last_uuid: str | None = None
    in_transcript: bool = False


def read_turn_state(told: Mapping[str, object]) -> TurnState:
    """Return what was told, with everything that is not as it should be left out."""
    answer = told.get("answer")
    text = answer[:MAX_ANSWER_CHARACTERS] if isinstance(answer, str) else None
    if text is not None:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return TurnState(
        running=told.get("running") is True,
        found=told.get("found") is True,
        ended=told.get("ended") is True,
        answer=text,
        last_uuid=canonical_uuid(told.get("last_uuid")),
        truncated=told.get("truncated") is True,
        is_error=told.get("is_error") is True,
    )


def recovered(state: TurnState) -> Recovered:
    """Return what is stored of a turn that no longer runs."""
    if not state.found:
        return Recovered("error", UNSAID)
    if not state.ended or state.answer is None:
        return Recovered("error", UNFINISHED, state.last_uuid, in_transcript=True)
    text = state.answer + CUT if state.truncated else state.answer
    # The CLI writes an error of the model's API where an answer would stand.
    status = "error" if state.is_error else "recovered"
    return Recovered(status, text, state.last_uuid, in_transcript=True)


def not_recovered(reason: str) -> Recovered:
    """Return what is stored of a turn of which nothing could be found out."""
    return Recovered("error", UNKNOWN.format(reason=reason))
