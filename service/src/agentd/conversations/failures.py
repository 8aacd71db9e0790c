# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What is told of turns that did not come to an answer."""

from __future__ import annotations

from agentd.conversations.values import RunningTurn
from agentd.engine.protocol import TurnOutcome
from agentd.errors import AgentdError, DatabaseFailed, TurnHandedOver

BROKEN_OFF = "The turn was broken off: control stopped. Say it again."
LOST = (
    "{} If its side brings the turn to its end, the answer comes among the messages of "
    "this conversation."
)
HANDED_OVER = (
    'Control stopped while this turn ran, and agent "{agent}" brings it to its end '
    'alone. Find the answer among the messages of conversation "{conversation}" when '
    "control is back."
)


def not_stored(error: BaseException) -> AgentdError:
    """Return what is told of a turn that could not be stored."""
    if isinstance(error, AgentdError):
        return error
    return DatabaseFailed(
        f"Cannot store this turn: {type(error).__name__}. Look into the log of control."
    )


def handed_over(turn: RunningTurn) -> TurnHandedOver:
    """Return what is told of a turn that its agent brings to its end alone."""
    return TurnHandedOver(
        HANDED_OVER.format(agent=turn.agent, conversation=turn.conversation_id)
    )


def failed(error: str) -> TurnOutcome:
    """Return the outcome of a turn that said nothing."""
    return TurnOutcome(
        status="error",
        result=None,
        error=error,
        model=None,
        session_id=None,
        last_message_uuid=None,
    )
