# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How many of something each agent may have, so that none takes it from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shares:
    """A number of places, half of it kept for the agents in equal parts.

    The other half is for whoever comes first. ``caps`` are what single agents may
    have at most, whatever is free.
    """

    total: int
    agents: tuple[str, ...] = ()
    caps: Mapping[str, int] = field(default_factory=dict)

    def kept_for(self, agent: str) -> int:
        """Return how many places are kept for an agent."""
        part = self.total // (2 * max(1, len(self.agents)))
        return min(max(1, part), self.cap(agent))

    def cap(self, agent: str) -> int:
        """Return how many places an agent may have at most."""
        return min(self.total, self.caps.get(agent, self.total))

    def may_take(self, held: Mapping[str, int], agent: str) -> bool:
        """Return whether an agent may have one more than what is held now."""
        own = held.get(agent, 0)
        free = self.total - sum(held.values())
        if free <= 0 or own >= self.cap(agent):
            return False
        if own < self.kept_for(agent):
            return True
        owed = sum(
            max(0, self.kept_for(other) - held.get(other, 0))
            for other in self.agents
            if other != agent
        )
        return free > owed
