# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Whether a session, or a turn of it, is on the disk of its agent.

The answer comes from the agent's container: it detects faults, not lies.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentd.errors import AgentdError
from agentd.log import get_log
from agentd.spawner.protocol import Spawner

CALL_TIMEOUT_SECONDS = 10.0

log = get_log("proof")


@dataclass(frozen=True)
class Proof:
    """Whether the transcript is there, and whether it holds the turn."""

    exists: bool
    holds: bool


async def transcript_exists(spawner: Spawner, agent: str, session_id: str) -> bool:
    """Return whether the session can be resumed; raise the agent's errors."""
    answer = await spawner.call(
        agent,
        "transcript_state",
        {"session_id": session_id},
        timeout_seconds=CALL_TIMEOUT_SECONDS,
    )
    return answer.get("exists") is True


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
    return Proof(exists=exists, holds=holds)
