# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Sessions and worktrees: looked for, asked about, and removed one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from agentd.database.sweeps import (
    repositories_of_branch,
    take_asking,
    used_at,
    work_rows,
)
from agentd.errors import AgentdError, SweepBusy, WorkRefused
from agentd.sweep.agent_side import AgentSide
from agentd.sweep.decide import Found, as_used, decide, questions
from agentd.sweep.parts import SweepParts
from agentd.sweep.questions import Questions
from agentd.sweep.values import Candidate, Issue, IssueState, Tally, TreeRow, WorkRow
from agentd.work.values import Tree, Wish

DAY_SECONDS = 86_400.0
LIST_SECONDS = 600.0
ASKING_TRIES = 600
ASKING_PAUSE_SECONDS = 1.0
ELSEWHERE = (
    "Cannot ask the forges: another host has asked them for {seconds:g} s. Sessions "
    "and worktrees of closed issues stay until the next sweep."
)
IN_USE = 'The worktree of "{branch}" of "{repository}" is in use by agent "{agent}".'


@dataclass(frozen=True)
class WorkStep:
    """Removes what is closed, too old, or nobody's (I02, I03, I04)."""

    parts: SweepParts
    tally: Tally

    async def run(self) -> None:
        """Look, ask, look again, and remove what still goes."""
        asked = questions(await self._find())
        states = await self._states(asked)
        # Questions take their time: whoever worked meanwhile is seen now.
        gone = decide(await self._find(quiet=True), states)
        for candidate in gone:
            self.tally.note(candidate)
        if self.tally.dry_run:
            for candidate in gone:
                self._count(candidate)
            return
        await self._clean(gone)
        for candidate in gone:
            # A worktree that has a conversation goes with its session.
            is_alone = candidate.kind == "tree" and not candidate.conversation_id
            is_old = candidate.kind == "session" and candidate.reason == "age"
            if is_alone or is_old:
                await self._remove(candidate)

    async def _find(self, quiet: bool = False) -> Found:
        age = self.parts.settings.max_age_days * DAY_SECONDS
        async with self.parts.database.read() as connection:
            known = await work_rows(connection)
        rows = [self._placed(row, host) for row, host in known]
        async with asyncio.TaskGroup() as tasks:
            listed = [
                tasks.create_task(self._trees(name, quiet))
                for name in sorted(self.parts.spawner.states())
            ]
        trees = [tree for one in listed for tree in one.result()]
        return Found(as_used(rows, trees), trees, self.parts.clock.now() - age)

    def _placed(self, row: WorkRow, host: str | None) -> WorkRow:
        me, living = self.parts.host, set(self.parts.host.hosts())
        elsewhere = host is not None and host != me.name and host in living - me.lost()
        known = row.agent in self.parts.spawner.states()
        stored = self._stored(row.repository)
        return replace(row, repository=stored, here=known and not elsewhere)

    def _stored(self, text: str) -> str:
        try:
            return self.parts.cleaning.short(self.parts.cleaning.repository(text))
        except WorkRefused:
            return text

    async def _trees(self, agent: str, quiet: bool) -> list[TreeRow]:
        side = AgentSide(self.parts.spawner, agent)
        if not side.connected:
            return []
        try:
            async with asyncio.timeout(LIST_SECONDS):
                listed = await side.trees()
        except (AgentdError, TimeoutError) as error:
            if not quiet:
                why = str(error) or "it took too long"
                self.tally.skip(f'Cannot list worktrees of agent "{agent}": {why}')
            return []
        short = self.parts.cleaning.short
        return [one.row(agent, short(one.repository)) for one in listed]

    async def _states(self, asked: list[Issue]) -> Mapping[Issue, IssueState]:
        if not asked or self.parts.states is None:
            return {}
        questions = Questions(
            self.parts.states,
            self.parts.cleaning.repository,
            self.parts.settings.question_seconds,
            self.parts.sleep,
        )
        try:
            async with self._one_host_at_a_time():
                return await questions.ask(asked, self.tally)
        except AgentdError as error:
            self.tally.skip(error, len(asked))
            return {}

    @asynccontextmanager
    async def _one_host_at_a_time(self) -> AsyncIterator[None]:
        if self.parts.host.alone:
            yield
            return
        async with self.parts.database.keep() as kept:
            for _try in range(ASKING_TRIES):
                if await kept.run(take_asking):
                    break
                await self.parts.sleep(ASKING_PAUSE_SECONDS)
            else:
                seconds = ASKING_TRIES * ASKING_PAUSE_SECONDS
                raise SweepBusy(ELSEWHERE.format(seconds=seconds))
            yield

    def _count(self, candidate: Candidate) -> None:
        if candidate.kind == "session":
            self.tally.counts.sessions += 1
        else:
            self.tally.counts.trees += 1

    async def _clean(self, gone: list[Candidate]) -> None:
        """Remove all that any agent has of each closed issue."""
        closed: dict[Issue, list[Candidate]] = {}
        for one in gone:
            if one.reason == "closed" and one.repository and one.issue:
                closed.setdefault(Issue(one.repository, one.issue), []).append(one)
        for issue, candidates in closed.items():
            try:
                for one in candidates:
                    await self._archive(one)
                repository = self.parts.cleaning.repository(issue.repository)
                done = await self.parts.cleaning.clean(Wish(repository, issue.issue))
            except AgentdError as error:
                self.tally.skip(error)
                continue
            self.tally.counts.sessions += done.sessions
            self.tally.counts.trees += done.worktrees
            if done.busy:
                named = f'Issue "{issue.issue}" of "{issue.repository}"'
                why = "is still worked on: what is left goes as soon as that ends."
                self.tally.skip(f"{named} {why}", done.busy)

    async def _remove(self, candidate: Candidate) -> None:
        try:
            await self._archive(candidate)
            if candidate.kind == "tree":
                await self._remove_tree(candidate)
            else:
                await self._drop(candidate)
        except AgentdError as error:
            self.tally.skip(error)

    async def _remove_tree(self, candidate: Candidate) -> None:
        repository = self.parts.cleaning.repository(candidate.repository or "")
        tree = Tree(repository, candidate.branch or "")
        # Others may have begun to work there since it was looked at.
        if await self._has_others(candidate):
            return
        removed = await self.parts.worktrees.remove(candidate.agent, [tree])
        self.tally.counts.trees += removed.count
        if removed.busy:
            named = {"branch": tree.branch, "repository": candidate.repository}
            self.tally.skip(IN_USE.format(agent=candidate.agent, **named))

    async def _drop(self, candidate: Candidate) -> None:
        """Forget a session that is too old, unless it was used a moment ago."""
        conversation_id = candidate.conversation_id or ""
        age = self.parts.settings.max_age_days * DAY_SECONDS
        async with self.parts.database.read() as connection:
            last = await used_at(connection, conversation_id)
        if last is None or last >= self.parts.clock.now() - age:
            return
        is_alone = not await self._has_others(candidate)
        if is_alone and candidate.branch and candidate.issue and candidate.repository:
            dropped = await self.parts.cleaning.reset(
                candidate.agent, candidate.repository, candidate.issue
            )
            self.tally.counts.sessions += dropped.session
            self.tally.counts.trees += dropped.worktree
            return
        session = await self.parts.sessions.drop_session(conversation_id)
        self.tally.counts.sessions += session
        if candidate.branch:
            await self._remove_tree(candidate)

    async def _has_others(self, candidate: Candidate) -> bool:
        """Return whether a session of another conversation is in its worktree."""
        if candidate.branch is None:
            return False
        async with self.parts.database.read() as connection:
            found = await repositories_of_branch(
                connection,
                candidate.agent,
                candidate.branch,
                candidate.conversation_id,
            )
        return candidate.repository in {self._stored(one) for one in found}

    async def _archive(self, candidate: Candidate) -> None:
        if self.parts.archive is not None:
            await self.parts.archive.keep(candidate)
