# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""One turn in a live client: what is said, who listens, and how it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from agentd.engine.client import Began, Ended, Said
from agentd.engine.protocol import Listener, TurnOutcome
from agentd.errors import AgentdError, CliFailed
from agentd.sessions.failures import cli_failure
from agentd.sessions.identity import canonical_uuid


@dataclass
class Turn:
    """A turn that runs; ``taken`` once the CLI told that it works on the message."""

    message: str
    model: str | None
    listener: Listener
    id: str
    ended: asyncio.Future[TurnOutcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    taken: bool = False
    said_model: str | None = None
    session_id: str | None = None
    last_uuid: str | None = None
    skills: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        # A turn that timed out may fail later, when nobody waits for it any more.
        self.ended.add_done_callback(
            lambda ended: ended.cancelled() or ended.exception()
        )

    def fail(self, error: AgentdError) -> None:
        """End the turn with an error, unless it has ended."""
        if not self.ended.done():
            self.ended.set_exception(error)

    def begin(self, began: Began) -> None:
        """Note what the CLI told when it began to work."""
        self.session_id = began.session_id or self.session_id
        self.said_model = began.model or self.said_model
        self.skills = began.skills or self.skills

    def note(self, said: Said) -> None:
        """Note a whole message of the model."""
        self.last_uuid = said.uuid or self.last_uuid
        self.said_model = said.model or self.said_model

    def end(self, ended: Ended) -> None:
        """End the turn as the CLI told."""
        error = None
        if ended.is_error:
            error = ended.error or ended.result or "the CLI gave no reason"
            failure = cli_failure(error, error)
            if failure.__class__ is not CliFailed:
                self.fail(failure)
                return
        self.ended.set_result(
            TurnOutcome(
                status="error" if ended.is_error else "success",
                result=None if ended.is_error else ended.result,
                error=error,
                model=self.said_model,
                session_id=canonical_uuid(ended.session_id) or self.session_id,
                last_message_uuid=self.last_uuid,
                skills=self.skills,
                cost_usd=ended.cost_usd,
                stored=ended.stored,
            )
        )

    def out_of_time(self, seconds: float) -> TurnOutcome:
        """Return the outcome of this turn if it has to end now."""
        return TurnOutcome(
            status="timeout",
            result=None,
            error=f"The turn did not end within {seconds:g} seconds and was "
            "interrupted.",
            model=self.said_model,
            session_id=self.session_id,
            last_message_uuid=self.last_uuid,
            skills=self.skills,
        )


def is_answer(ended: Ended, message_id: str) -> bool:
    """Return whether the turn that ended is the one that took the message in."""
    if ended.answered is not None:
        return message_id in ended.answered
    return not ended.injected
