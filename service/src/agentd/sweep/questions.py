# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Questions to forges: each once, one after another, never close together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agentd.errors import AgentdError, WorkRefused
from agentd.sweep.values import Issue, IssueState, Tally
from agentd.workdirs.names import RepositoryName

# A forge that is away is not waited for once more for each of its issues.
MAX_FAILURES = 3
GIVEN_UP = (
    'Cannot ask forge "{forge}" about {count} issues: it failed {most} times in a row. '
    "What they decide on stays until the next sweep."
)
MISSING = (
    'Issue "{issue}" of "{repository}" is not there, or is not shown to this '
    "deployment's token: what belongs to it stays until it is too old."
)


class IssueStates(Protocol):
    """Knows how issues stand."""

    async def state(self, repository: RepositoryName, issue: str) -> IssueState:
        """Return the state; raise an error of ours if it cannot be known."""


@dataclass(frozen=True)
class Questions:
    """Asks with a pause before each question (I05)."""

    states: IssueStates
    named: Callable[[str], RepositoryName]
    pause_seconds: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def ask(
        self, issues: Sequence[Issue], tally: Tally
    ) -> Mapping[Issue, IssueState]:
        """Return the states that are known; what is not is counted as skipped."""
        known: dict[Issue, IssueState] = {}
        failures: Counter[str] = Counter()
        given_up: Counter[str] = Counter()
        for issue in issues:
            try:
                repository = self.named(issue.repository)
            except WorkRefused:
                # Words of a caller's own: no forge knows of it.
                continue
            asked = _asked(repository, issue.issue)
            if failures[asked] >= MAX_FAILURES:
                given_up[asked] += 1
                continue
            # Before the first one too: another sweep may have ended just now.
            await self.sleep(self.pause_seconds)
            tally.counts.questions += 1
            try:
                known[issue] = await self.states.state(repository, issue.issue)
            except WorkRefused as error:
                # No fault of the forge, which the others are asked about.
                tally.skip(error)
                continue
            except AgentdError as error:
                failures[asked] += 1
                tally.skip(error)
                continue
            failures[asked] = 0
            if known[issue] == "missing":
                where = {"issue": issue.issue, "repository": issue.repository}
                tally.skip(MISSING.format(**where))
        for forge, count in given_up.items():
            words = GIVEN_UP.format(forge=forge, count=count, most=MAX_FAILURES)
            tally.skip(words, count)
        return known


def _asked(repository: RepositoryName, issue: str) -> str:
    """Return who is asked: keys such as SHOP-7 are a tracker's, away or not."""
    forge = repository.forge
    return forge if issue.isdecimal() else f"tracker of {forge}"
