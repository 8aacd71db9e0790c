# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What the engine tells to whoever watches it, once somebody does."""

from __future__ import annotations

from agentd.engine.protocol import EngineWatch


class Watching:
    """Passes on what is noted; until there is a watch, nobody is told."""

    def __init__(self) -> None:
        self.watch: EngineWatch | None = None

    def client_started(self, agent: str, seconds: float) -> None:
        """Note that a client is ready."""
        if self.watch is not None:
            self.watch.client_started(agent, seconds)

    def client_ended(self, agent: str, why: str) -> None:
        """Note that a client is gone."""
        if self.watch is not None:
            self.watch.client_ended(agent, why)

    def waiting(self, count: int) -> None:
        """Note how many turns wait."""
        if self.watch is not None:
            self.watch.waiting(count)
