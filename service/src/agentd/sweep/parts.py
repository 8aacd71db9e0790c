# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""What a sweep works with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from agentd.clock import Clock
from agentd.database.open import Database
from agentd.hosts.presence import Presence
from agentd.spawner.protocol import Spawner
from agentd.sweep.archive import Archive
from agentd.sweep.questions import IssueStates
from agentd.work.values import Cleaned, Dropped, Removed, Tree, Wish
from agentd.work_settings import SweepSettings
from agentd.workdirs.names import RepositoryName


class Cleaning(Protocol):
    """Knows repositories by their names, and removes what agents have of them."""

    def repository(self, text: str) -> RepositoryName:
        """Return the repository that is named; raise WorkRefused."""

    def short(self, repository: RepositoryName) -> str:
        """Return the one text under which a repository is stored."""

    async def clean(self, wish: Wish) -> Cleaned:
        """Remove worktrees and forget sessions; what is in use goes later."""

    async def reset(self, agent: str, repository: str, issue: str) -> Dropped:
        """Remove a worktree and forget a session; raise ConversationBusy."""


class Sessions(Protocol):
    """Forgets sessions of conversations at rest."""

    async def drop_session(self, conversation_id: str) -> bool:
        """Forget the session of a conversation; return whether it had one."""


class Worktrees(Protocol):
    """Removes worktrees that nobody holds."""

    async def remove(self, agent: str, trees: Iterable[Tree]) -> Removed:
        """Remove them, having saved what is not committed."""


@dataclass(frozen=True)
class SweepParts:
    """Whom a sweep asks, and who removes for it.

    Without ``states`` no forge is asked. Without an ``archive`` nothing is kept first.
    """

    settings: SweepSettings
    database: Database
    spawner: Spawner
    host: Presence
    clock: Clock
    cleaning: Cleaning
    sessions: Sessions
    worktrees: Worktrees
    states: IssueStates | None = None
    archive: Archive | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
