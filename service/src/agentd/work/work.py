# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Repositories, branches and issues that agents work on, and what is left of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from agentd.clock import Clock
from agentd.conversations.resting import Resting
from agentd.database.cleanups import (
    Cleanup,
    add_cleanup,
    cancel_tasks_of,
    due_cleanups,
    finish_cleanup,
    forget_done,
    next_cleanup_at,
    put_off_cleanup,
    remove_cleanups,
)
from agentd.database.open import Database
from agentd.database.writer import Transaction
from agentd.errors import DatabaseFailed, WorkRefused
from agentd.hosts.presence import Presence
from agentd.log import get_log
from agentd.queue.queue import Queue
from agentd.queue.values import Task, TaskEnd
from agentd.spawner.protocol import Spawner
from agentd.work.cleaning import Cleaning, Tidied
from agentd.work.naming import branch
from agentd.work.values import Cleaned, Dropped, Tree, Wish
from agentd.work.workdirs import Workdirs
from agentd.workdirs.names import RepositoryName

# Whoever asks tries it himself first.
FIRST_SECONDS = 30.0
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 60.0
# Other hosts tell of what is new by their database alone.
LOOK_SECONDS, LONGEST_LOOK_SECONDS = 5.0, 60.0
GIVEN_UP_SECONDS = 86_400.0

log = get_log("work")


@dataclass(frozen=True)
class WorkParts:
    """What work directories are made, used and removed with."""

    database: Database
    spawner: Spawner
    clock: Clock
    host: Presence
    resting: Resting
    queue: Queue
    workdirs: Workdirs


class Work:
    """What others ask about repositories, and have cleaned up."""

    def __init__(self, parts: WorkParts) -> None:
        self._parts = parts
        self._asked = asyncio.Event()
        self._cleaning = Cleaning(
            parts.database, parts.spawner, parts.resting, parts.workdirs
        )
        self.naming = parts.workdirs.naming

    def repository(self, text: str) -> RepositoryName:
        """Return the repository that is named; raise WorkRefused."""
        return self.naming.repository(text)

    def short(self, repository: RepositoryName) -> str:
        """Return the one text under which a repository is stored."""
        return self.naming.short(repository)

    def stored(self, text: str) -> str:
        """Return the text under which it is stored; free text stays as it is."""
        return self.naming.stored(text)

    def tree(self, repository: str, name: str) -> Tree:
        """Return the worktree of a branch; raise WorkRefused."""
        return Tree(self.repository(repository), branch(name))

    async def clean(self, wish: Wish, asked_at: float | None = None) -> Cleaned:
        """Remove worktrees, forget sessions and cancel what is queued.

        Nothing that runs is stopped: it is stored as a clean-up and removed later, as
        is what an agent that is not connected has. Repeats do nothing, and what was
        said or queued after ``asked_at`` is no part of it. Raise DatabaseFailed; what
        is asked for is stored then, or nothing is.
        """
        names = self._cleaning.stored_names(wish.repository)
        now = self._parts.clock.now()
        asked = now if asked_at is None else min(asked_at, now)

        def store(connection: Transaction) -> tuple[Cleanup, list[Task]]:
            cleanup = add_cleanup(connection, wish, asked, now + FIRST_SECONDS)
            return cleanup, cancel_tasks_of(connection, wish, names, asked)

        cleanup, cancelled = await self._parts.database.do(store)
        self._asked.set()
        for task in cancelled:
            self._parts.queue.tell(task, TaskEnd("cancelled"))
        return _cleaned(await self._attempt(cleanup), len(cancelled))

    async def reset(self, agent: str, repository: str, issue: str) -> Dropped:
        """Remove an agent's worktree and forget its session of an issue.

        Raise ConversationBusy or WorkdirBusy while it is used, or an agent's error,
        with nothing dropped.
        """
        try:
            wish = Wish(self.repository(repository), issue, agent=agent)
        except WorkRefused:
            # Free text, which has no worktree.
            count = await self.drop_sessions(repository, issue, agent)
            return Dropped(session=count > 0)
        return await self._cleaning.drop(wish, agent)

    async def drop_sessions(
        self, repository: str, issue: str, agent: str | None = None
    ) -> int:
        """Forget the sessions about an issue; return how many there were.

        Raise ConversationBusy, with none forgotten, while one of them is in a turn.
        """
        names = {repository}
        with suppress(WorkRefused):
            names |= set(self._cleaning.stored_names(self.repository(repository)))
        return await self._parts.resting.drop(names, issue, agent)

    async def run(self) -> None:
        """Try again what could not be cleaned up, until cancelled."""
        while True:
            self._asked.clear()
            try:
                pause = await self._round()
            except DatabaseFailed as error:
                log.warning("cleanups_not_read", error=str(error))
                pause = LOOK_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def _round(self) -> float:
        """Do what is due; return when to look again."""
        now, me = self._parts.clock.now(), self._parts.host.name

        def look(connection: Transaction) -> tuple[int, list[Cleanup]]:
            forget_done(connection, self._living())
            given_up = remove_cleanups(connection, now - GIVEN_UP_SECONDS)
            return given_up, due_cleanups(connection, me, now)

        given_up, due = await self._parts.database.do(look)
        if given_up:
            log.warning("cleanups_given_up", count=given_up)
        for cleanup in due:
            await self._attempt(cleanup)
        async with self._parts.database.read() as connection:
            next_at = await connection.run_sync(next_cleanup_at)
        if not self._parts.host.alone:
            return LOOK_SECONDS
        if next_at is None:
            return LONGEST_LOOK_SECONDS
        left = next_at - self._parts.clock.now()
        return min(max(left, PAUSE_SECONDS / 2), LONGEST_LOOK_SECONDS)

    async def _attempt(self, cleanup: Cleanup) -> Sequence[Tidied]:
        done = await self._cleaning.tidy(cleanup)
        problems = [one.problem for one in done if one.problem is not None]
        wish = cleanup.wish
        log.info(
            "cleaned",
            repository=str(wish.repository),
            issue=wish.issue,
            branch=wish.branch,
            worktrees=sum(one.worktrees for one in done),
            sessions=sum(one.sessions for one in done),
            busy=len(problems),
        )
        host, now = self._parts.host, self._parts.clock.now()
        if problems:
            times = 2 ** min(cleanup.attempts, 10)
            pause = min(PAUSE_SECONDS * times, LONGEST_PAUSE_SECONDS)
            error = " ".join(problems)
            await self._parts.database.do(
                lambda c: put_off_cleanup(c, cleanup, now + pause, error)
            )
            self._asked.set()
            return done
        await self._parts.database.do(
            lambda c: finish_cleanup(c, cleanup, host.name, self._living())
        )
        return done

    def _living(self) -> set[str]:
        host = self._parts.host
        return {host.name} if host.alone else {*host.hosts()} - host.lost()


def _cleaned(done: Sequence[Tidied], tasks: int) -> Cleaned:
    return Cleaned(
        worktrees=sum(one.worktrees for one in done),
        sessions=sum(one.sessions for one in done),
        tasks=tasks,
        busy=sum(one.problem is not None for one in done),
    )
