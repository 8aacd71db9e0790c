# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Worktrees and sessions of an issue or a branch, removed where nobody uses them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agentd.conversations.resting import Resting
from agentd.database.cleanups import Cleanup, Concerned, concerned
from agentd.database.open import Database
from agentd.errors import (
    AgentdError,
    DatabaseFailed,
    WorkdirBusy,
)
from agentd.log import get_log
from agentd.spawner.protocol import Spawner
from agentd.work.naming import Naming
from agentd.work.values import Dropped, Tree, Wish
from agentd.work.workdirs import Workdirs
from agentd.workdirs.names import RepositoryName, issue_branch

HELD = (
    'Cannot remove the work directory of agent "{agent}" for {names}: it is in use. '
    "Wait until the turn there has ended, and try again."
)

log = get_log("work")


@dataclass(frozen=True)
class Tidied:
    """What was removed of one agent's, and why the rest was not."""

    worktrees: int = 0
    sessions: int = 0
    problem: str | None = None


class Cleaning:
    """Removes what agents of this host have; whatever runs is left alone."""

    def __init__(
        self,
        database: Database,
        spawner: Spawner,
        resting: Resting,
        workdirs: Workdirs,
    ) -> None:
        self._database = database
        self._spawner = spawner
        self._resting = resting
        self._workdirs = workdirs

    @property
    def naming(self) -> Naming:
        """Return how repositories are named."""
        return self._workdirs.naming

    def stored_names(self, repository: RepositoryName) -> list[str]:
        """Return the texts under which a repository may be stored."""
        names = {self.naming.short(repository), str(repository)}
        if repository.forge in self.naming.forges[:1]:
            names.add(repository.path)
        return sorted(names)

    async def tidy(self, cleanup: Cleanup) -> list[Tidied]:
        """Remove what is asked for, agent by agent; raise DatabaseFailed."""
        found = await self._concerned(cleanup.wish)
        return [
            await self._tidy_agent(agent, cleanup, found.get(agent, []))
            for agent in self._agents(cleanup.wish)
        ]

    async def drop(self, wish: Wish, agent: str) -> Dropped:
        """Remove what one agent has of an issue, all of it or nothing.

        Raise ConversationBusy, WorkdirBusy, WorkdirFailed or the agent's errors.
        """
        mine = (await self._concerned(wish)).get(agent, [])
        asked = [one for one in mine if one.asked]
        trees = _trees(wish, asked)
        # Others may stand on the same branch: theirs is made anew at the same place.
        async with self._resting.all_closed([one.key for one in mine]):
            await self._resting.demand_rest([one.key for one in asked])
            worktrees = await self._remove(agent, trees)
            sessions = await self._resting.drop_held([one.key for one in asked])
        return Dropped(worktree=worktrees > 0, session=sessions > 0)

    async def _tidy_agent(
        self, agent: str, cleanup: Cleanup, mine: Sequence[Concerned]
    ) -> Tidied:
        # Whoever was told something since then works on, and is no part of this.
        gone_on = {one.key for one in mine if _said_since(one, cleanup.asked_at)}
        asked = [one for one in mine if one.asked and one.key not in gone_on]
        kept = {one.branch for one in mine if _keeps(one) or one.key in gone_on}
        trees = [one for one in _trees(cleanup.wish, asked) if one.branch not in kept]
        # An issue that is worked on there is open still, and goes on where it was.
        over = [one.key for one in asked if one.issue in {None, cleanup.wish.issue}]
        try:
            async with self._resting.all_closed([one.key for one in asked]):
                await self._resting.demand_rest([one.key for one in asked])
                worktrees = await self._remove(agent, trees)
                sessions = await self._resting.drop_held(over)
        except DatabaseFailed:
            raise
        except AgentdError as error:
            return Tidied(problem=str(error))
        return Tidied(worktrees, sessions)

    async def _remove(self, agent: str, trees: Iterable[Tree]) -> int:
        removed = await self._workdirs.remove(agent, trees)
        for place in removed.saved:
            log.warning("work_saved", agent=agent, place=place)
        if removed.busy:
            names = ", ".join(f'"{one}"' for one in removed.busy)
            raise WorkdirBusy(HELD.format(agent=agent, names=names))
        return removed.count

    async def _concerned(self, wish: Wish) -> Mapping[str, list[Concerned]]:
        names = self.stored_names(wish.repository)
        async with self._database.read() as connection:
            rows = await connection.run_sync(concerned, wish, names)
        found: dict[str, list[Concerned]] = {}
        for one in rows:
            found.setdefault(one.key.agent, []).append(one)
        return found

    def _agents(self, wish: Wish) -> list[str]:
        names = self._spawner.states()
        return [one for one in names if wish.agent in {None, one}]


def _said_since(one: Concerned, moment: float) -> bool:
    return one.last_said_at is not None and one.last_said_at > moment


def _keeps(one: Concerned) -> bool:
    """Return whether a conversation that nobody asked about works on its branch."""
    return one.has_session and not one.asked


def _trees(wish: Wish, asked: Iterable[Concerned]) -> list[Tree]:
    """Return the worktrees of a wish: named, of its conversations, of its issue."""
    names = {wish.branch, *(one.branch for one in asked)}
    if wish.issue is not None:
        names.add(issue_branch(wish.issue))
    return [Tree(wish.repository, name) for name in sorted(filter(None, names))]
