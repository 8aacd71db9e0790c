# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whether a session, or a turn of it, is on the disk of its agent.

The answer comes from the agent's container: it detects faults, not lies.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentd.errors import AgentdError
from agentd.log import get_log
from agentd.sessions.turn_state import TurnState, read_turn_state
from agentd.spawner.protocol import Spawner

CALL_TIMEOUT_SECONDS = 10.0
MAX_TOLD_BYTES = 2**53
MAX_PATH_CHARACTERS = 4096

log = get_log("proof")


@dataclass(frozen=True)
class Proof:
    """Whether the transcript is there and holds the turn, and how large it is."""

    exists: bool
    holds: bool
    size: int | None = None


@dataclass(frozen=True)
class Transcript:
    """Whether a session's transcript is there, how large, and of other sessions."""

    exists: bool
    size: int | None = None
    foreign: bool = False


async def find_transcript(spawner: Spawner, agent: str, session_id: str) -> Transcript:
    """Return whether the session can be resumed; raise the agent's errors."""
    answer = await spawner.call(
        agent,
        "transcript_state",
        {"session_id": session_id},
        timeout_seconds=CALL_TIMEOUT_SECONDS,
    )
    return Transcript(
        exists=answer.get("exists") is True,
        size=_size(answer.get("size")),
        foreign=answer.get("foreign") is True,
    )


async def prove_turn(
    spawner: Spawner, agent: str, session_id: str, uuid: str | None
) -> Proof:
    """Return what is on disk of a turn that ended; no answer proves nothing.

    A turn without any message of the model is proved by the transcript alone.
    """
    parameters: dict[str, object] = {"session_id": session_id}
    if uuid is not None:
        parameters["uuid"] = uuid
    try:
        answer = await spawner.call(
            agent,
            "transcript_state",
            parameters,
            timeout_seconds=CALL_TIMEOUT_SECONDS,
        )
    except AgentdError as error:
        log.warning("proof_failed", agent=agent, session=session_id, error=str(error))
        return Proof(exists=False, holds=False)
    exists = answer.get("exists") is True
    holds = exists and (uuid is None or answer.get("holds") is True)
    return Proof(exists=exists, holds=holds, size=_size(answer.get("size")))


async def ask_turn_state(
    spawner: Spawner, agent: str, session_id: str, turn_uuid: str
) -> TurnState:
    """Return what became of a turn; raise the agent's errors."""
    told = await spawner.call(
        agent,
        "turn_state",
        {"session_id": session_id, "message_uuid": turn_uuid},
        timeout_seconds=CALL_TIMEOUT_SECONDS,
    )
    return read_turn_state(told)


def working_directory(spawner: Spawner, agent: str) -> str | None:
    """Return where the agent said that its CLI works, if it said so."""
    told = spawner.states()[agent].report.get("working_directory")
    if isinstance(told, str) and 0 < len(told) <= MAX_PATH_CHARACTERS:
        return told.encode("utf-8", "replace").decode("utf-8")
    return None


def _size(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int):
        return None
    return told if 0 <= told < MAX_TOLD_BYTES else None
