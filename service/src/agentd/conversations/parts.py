# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What every turn works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agentd.clock import Clock
from agentd.conversations.keeping import Keeping
from agentd.conversations.outbox import Outbox
from agentd.conversations.unproved import Unproved
from agentd.conversations.values import Answer
from agentd.database.claims import Claim
from agentd.database.open import Database
from agentd.engine.protocol import Engine
from agentd.hosts.presence import Presence
from agentd.spawner.protocol import Spawner
from agentd.work.workdirs import Workdirs


class TurnWatch(Protocol):
    """Who is told of each turn that ended."""

    def turn_ended(self, answer: Answer) -> None:
        """Count a turn."""


class Admission(Protocol):
    """Who is asked before a turn begins."""

    async def admit(self, agent: str) -> None:
        """Raise UsageExceeded if the agent's state takes more than it may."""


@dataclass(frozen=True)
class TurnParts:
    """The edges that a turn meets, and what is kept beside its conversation."""

    database: Database
    engine: Engine
    spawner: Spawner
    watch: TurnWatch
    clock: Clock
    outbox: Outbox
    unproved: Unproved
    host: Presence
    workdirs: Workdirs
    keeping: Keeping | None = None
    """Where transcripts are kept too, if they are."""
    admission: Admission | None = None

    def claim(self, seen: int | None = None) -> Claim:
        """Return what this host says of a conversation that it uses."""
        return Claim(self.host.name, self.database.shared, seen)
