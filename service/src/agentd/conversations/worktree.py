# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""The worktree of a conversation: fixed at its beginning, and held for each turn."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from agentd.conversations.parts import TurnParts
from agentd.conversations.values import Ask
from agentd.database.conversations import Conversation, get_conversation
from agentd.definitions.names import wanted
from agentd.errors import BranchFixed, WorkRefused
from agentd.sessions.choose import MOVED, join_notices
from agentd.sessions.identity import SessionKey, StoredSession
from agentd.work.naming import Naming, branch
from agentd.work.values import Tree
from agentd.work.workdirs import Hold, Workdirs

NO_REPOSITORY = (
    'Cannot work on branch "{}": no repository is named. Send repository too.'
)
TWO_PLACES = (
    'Cannot work on branch "{}" with definition "{}": each means a directory to work '
    "in. Send one."
)


@dataclass
class Worktree:
    """Where a turn runs: a worktree that it has for itself, or none at all."""

    workdirs: Workdirs
    hold: Hold | None = None
    path: str | None = None

    @property
    def tree(self) -> Tree | None:
        """Return which worktree it is."""
        return None if self.hold is None else self.hold.tree

    async def enter(self, session: StoredSession, *, fetch: bool) -> str | None:
        """Acquire it and return what to tell; raise WorkdirBusy or WorkdirFailed."""
        if self.hold is None:
            return None
        acquired = await self.workdirs.acquire(self.hold, fetch=fetch)
        self.path = acquired.path
        return join_notices(*acquired.notices, self._moved(session))

    async def leave(self) -> None:
        """Give it back; what fails is tried again until it is given back."""
        if self.path is not None and self.hold is not None:
            await self.workdirs.release(self.hold)

    def _moved(self, session: StoredSession) -> str | None:
        before = session.working_directory
        if self.hold is None or before in {None, self.path}:
            return None
        return MOVED.format(agent=self.hold.agent, before=before, now=self.path)


async def leave_after(parts: TurnParts, key: SessionKey) -> None:
    """Give back what a turn held whose end became known without its run.

    Raise DatabaseFailed if it cannot be known what that is: nobody else gives it back.
    """
    if not parts.workdirs.naming.forges:
        return
    with suppress(WorkRefused):
        async with parts.database.read() as connection:
            found = await get_conversation(connection, key.conversation_id)
        tree = None if found is None else tree_of(found, parts.workdirs.naming)
        if tree is not None:
            await parts.workdirs.release(Hold(key.agent, tree, key.conversation_id))


def tree_of(found: Conversation, naming: Naming) -> Tree | None:
    """Return where a conversation's turns run; raise WorkRefused if it is nowhere."""
    if found.branch is None or found.repository is None:
        return None
    return Tree(naming.repository(found.repository), found.branch)


def new_tree(ask: Ask, naming: Naming) -> Tree | None:
    """Return where a new conversation's turns run; raise WorkRefused."""
    if ask.branch is None:
        return None
    if ask.repository is None:
        raise WorkRefused(NO_REPOSITORY.format(ask.branch))
    if wanted(ask.definition) is not None:
        raise WorkRefused(TWO_PLACES.format(ask.branch, ask.definition))
    return Tree(naming.repository(ask.repository), branch(ask.branch))


def demand_same_branch(ask: Ask, tree: Tree | None, conversation_id: str) -> None:
    """Raise BranchFixed if another branch than the conversation's is asked for."""
    if ask.branch is None or (tree is not None and tree.branch == ask.branch):
        return
    has = "is on no branch" if tree is None else f'is on branch "{tree.branch}"'
    raise BranchFixed(
        f'Conversation "{conversation_id}" {has}, not "{ask.branch}": it keeps the '
        "one that it began with. Leave branch out, or begin a conversation."
    )
