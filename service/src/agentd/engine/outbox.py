# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Texts for a conversation's people that are no answers: bounded, then passed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentd.engine.protocol import Outbound, OutboundListener
from agentd.log import get_log

MAX_CHARACTERS = 10_000
MAX_PER_TURN = 10
MAX_PER_CONVERSATION_HOUR = 60
MAX_PER_AGENT_HOUR = 600
HOUR_SECONDS = 3600.0
MAX_KNOWN = 10_000

log = get_log("outbox")


@dataclass
class Allowance:
    """How many texts are left now; it fills up again over an hour."""

    left: float
    at: float

    def refill(self, most: int, now: float) -> None:
        """Add what came back since the last time."""
        self.left = min(most, self.left + (now - self.at) * most / HOUR_SECONDS)
        self.at = now


class Outbox:
    """Passes texts on to a listener, as many as a conversation and an agent may say.

    The sender is the client that the text came from: an agent names no conversation.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._listener: OutboundListener | None = None
        self._allowances: dict[tuple[str, str], Allowance] = {}

    def listen(self, listener: OutboundListener) -> None:
        """Give every text to this listener from now on."""
        self._listener = listener

    def offer(self, outbound: Outbound) -> str | None:
        """Pass a text on; return why not, or None if it was."""
        if self._listener is None:
            return "Nobody takes messages here."
        if not self._take(outbound.agent, outbound.conversation_id):
            log.warning(
                "outbound_refused",
                agent=outbound.agent,
                conversation=outbound.conversation_id,
            )
            return (
                f"A conversation may send {MAX_PER_CONVERSATION_HOUR} messages an "
                f"hour, an agent {MAX_PER_AGENT_HOUR}. Try again later."
            )
        self._listener(outbound)
        return None

    def _take(self, agent: str, conversation_id: str) -> bool:
        own = self._allowance((agent, conversation_id), MAX_PER_CONVERSATION_HOUR)
        whole = self._allowance((agent, ""), MAX_PER_AGENT_HOUR)
        if own.left < 1 or whole.left < 1:
            return False
        own.left -= 1
        whole.left -= 1
        return True

    def _allowance(self, key: tuple[str, str], most: int) -> Allowance:
        now = self._clock()
        if key not in self._allowances and len(self._allowances) >= MAX_KNOWN:
            self._forget(now)
        allowance = self._allowances.setdefault(key, Allowance(most, now))
        allowance.refill(most, now)
        return allowance

    def _forget(self, now: float) -> None:
        """Forget what has long been full again."""
        full = now - HOUR_SECONDS
        for key in [key for key, one in self._allowances.items() if one.at < full]:
            del self._allowances[key]
