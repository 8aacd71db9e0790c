# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a live client needs of the agent SDK, without the SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from agentd.engine.protocol import ClientWish, TurnEvent


@dataclass(frozen=True)
class Began:
    """The CLI began a turn."""

    session_id: str | None
    model: str | None
    skills: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Taken:
    """The CLI took a message in: what it tells from now on is about that."""

    message_id: str | None


@dataclass(frozen=True)
class Said:
    """The CLI has a whole message of the model, which it also writes to disk."""

    uuid: str | None
    model: str | None
    text: str


@dataclass(frozen=True)
class Ended:
    """The CLI ended a turn.

    ``answered`` are the ids of the messages that it took in, or None if it did not
    tell; ``injected`` is true for a turn that nobody asked for, e.g. when a
    background task ended; ``cost_usd`` is what that turn cost; ``stored`` is whether
    the last message of the model is in the database, None if none is kept there.
    """

    is_error: bool
    result: str | None
    error: str | None
    session_id: str | None
    answered: tuple[str, ...] | None = None
    injected: bool = False
    cost_usd: float | None = None
    stored: bool | None = None


@dataclass(frozen=True)
class WritesLost:
    """The CLI told that it could not write its transcript."""

    reason: str


@dataclass(frozen=True)
class Background:
    """How many tasks run in the background of the CLI now."""

    count: int


ClientMessage = Began | Taken | Said | Ended | WritesLost | Background | TurnEvent


class Client(Protocol):
    """One CLI process with its control protocol, used within one task."""

    async def connect(self) -> None:
        """Start the CLI; raise CliFailed and the agent's errors."""

    async def say(self, message: str, message_id: str) -> None:
        """Send a user message that carries the id."""

    async def set_model(self, model: str | None) -> None:
        """Use another model from the next message on."""

    async def interrupt(self) -> None:
        """Ask the CLI to end the running turn."""

    def messages(self) -> AsyncIterator[ClientMessage]:
        """Return what the CLI tells until it ends; raise CliFailed at its crash."""

    async def disconnect(self) -> None:
        """Close the CLI; bounded."""

    def abandon(self) -> None:
        """Drop the connection at once: the agent's side ends the CLI's turn alone."""


Send = Callable[[str], str | None]
ClientFactory = Callable[[ClientWish, Send], Client]
