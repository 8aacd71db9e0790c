# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Repositories, branches and issues that agents work on, and what is left of them."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.clock import Clock
from agentd.conversations.turns import Turns
from agentd.database.open import Database
from agentd.hosts.presence import Presence
from agentd.queue.queue import Queue
from agentd.settings import ControlSettings
from agentd.spawner.protocol import Spawner
from agentd.work.naming import Naming
from agentd.work.values import Cleaned, Dropped, Wish
from agentd.workdirs.names import RepositoryName


@dataclass(frozen=True)
class WorkParts:
    """What work directories are made, used and removed with."""

    settings: ControlSettings
    database: Database
    spawner: Spawner
    clock: Clock
    host: Presence
    turns: Turns
    queue: Queue


class Work:
    """What others ask about repositories, and have cleaned up."""

    def __init__(self, parts: WorkParts) -> None:
        self._parts = parts
        self.naming = Naming.of(parts.settings)

    def repository(self, text: str) -> RepositoryName:
        """Return the repository that is named; raise WorkRefused."""
        return self.naming.repository(text)

    def short(self, repository: RepositoryName) -> str:
        """Return the one text under which a repository is stored."""
        return self.naming.short(repository)

    async def clean(self, wish: Wish) -> Cleaned:
        """Remove worktrees, forget sessions and cancel what is queued.

        Nothing that runs is stopped: it is stored as a clean-up and removed later, as
        is what an agent that is not connected has. Repeats do nothing. Raise
        DatabaseFailed with nothing done.
        """
        raise NotImplementedError

    async def reset(self, agent: str, repository: str, issue: str) -> Dropped:
        """Remove an agent's worktree and forget its session of an issue.

        Raise AgentUnknown, ConversationBusy or WorkdirBusy while it is used, or
        AgentUnavailable, with nothing dropped.
        """
        raise NotImplementedError

    async def run(self) -> None:
        """Try again what could not be cleaned up, until cancelled."""
        raise NotImplementedError
