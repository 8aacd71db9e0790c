# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Where the live output of tasks is written and read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class OutputEvent:
    """One event of a task's output; ids grow, and the last is ``end``."""

    id: str
    event: str
    data: Mapping[str, object]


class Output(Protocol):
    """Keeps what tasks say: bounded, and not for ever."""

    async def __aenter__(self) -> Output:
        """Start what it needs."""

    async def __aexit__(self, *details: object) -> None:
        """Stop it."""

    def say(self, task_id: str, event: str, data: Mapping[str, object]) -> None:
        """Take an event; drop what is too much, and never wait nor raise."""

    def end(self, task_id: str, data: Mapping[str, object]) -> None:
        """Say that the task ended; nothing follows."""

    def read(
        self, task_id: str, after: str | None, patience_seconds: float
    ) -> AsyncGenerator[OutputEvent | None, None]:
        """Return the events from the beginning, or behind one, until the end.

        None comes after each wait without an event, and at once where nothing is there
        at the beginning. Where events were dropped stands
        one named ``gap``; coming back behind its id tells it again. Raise
        QueueUnavailable if it cannot be read now.
        """

    def dismiss(self) -> None:
        """Let every reader come to an end: the service stops."""
