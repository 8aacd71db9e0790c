# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How many tasks run here, and how many more may be taken now, of which agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Taken = TypeVar("Taken")


@dataclass(frozen=True)
class Limits:
    """Tasks that may run at the same time: in all, and of one agent."""

    in_all: int
    of_one: int


def take_fairly(
    agents: Sequence[str],
    running: Mapping[str, int],
    limits: Limits,
    take: Callable[[str, int], Sequence[Taken]],
) -> list[Taken]:
    """Return what ``take`` gives for the places that are free, agent by agent.

    Given the agents in the order of their turn: no agent has more places than it may,
    and none has a second one before each that has work had a first.
    """
    left = limits.in_all - sum(running.values())
    may = {one: limits.of_one - running.get(one, 0) for one in agents}
    found: list[Taken] = []
    asked = list(agents)
    while asked and left > 0:
        more = []
        for index, agent in enumerate(asked):
            share = max(1, left // (len(asked) - index))
            count = min(share, left, may[agent])
            taken = take(agent, count) if count > 0 else ()
            found.extend(taken)
            left -= len(taken)
            may[agent] -= len(taken)
            if taken and len(taken) == count:
                more.append(agent)
        asked = more
    return found


def rotated(agents: Sequence[str], last: str | None) -> list[str]:
    """Return the agents in turn, the one behind the last that had a task first."""
    if last not in agents:
        return list(agents)
    begin = agents.index(last) + 1
    return [*agents[begin:], *agents[:begin]]


class Places:
    """Counts the tasks that run, or are about to, of each agent."""

    def __init__(self, agents: Sequence[str], limits: Limits) -> None:
        self._agents = agents
        self._running: dict[str, int] = {}
        self.limits = limits

    def running(self) -> Mapping[str, int]:
        """Return how many tasks of each agent run."""
        return dict(self._running)

    @property
    def left(self) -> int:
        """Return how many more tasks may run, of whichever agents."""
        return self.limits.in_all - sum(self._running.values())

    def left_of(self, agent: str) -> int:
        """Return how many more tasks of an agent may run."""
        return self.limits.of_one - self._running.get(agent, 0)

    def open_agents(self, last: str | None) -> list[str]:
        """Return the agents of which one more may run, in the order of their turn."""
        if self.left <= 0:
            return []
        return [one for one in rotated(self._agents, last) if self.left_of(one) > 0]

    def take(self, agent: str) -> bool:
        """Take a place for a task of the agent; return whether there was one."""
        if self.left <= 0 or self.left_of(agent) <= 0:
            return False
        self.fill(agent)
        return True

    def fill(self, agent: str) -> None:
        """Note that one more task of the agent runs."""
        self._running[agent] = self._running.get(agent, 0) + 1

    def free(self, agent: str) -> None:
        """Note that a task of the agent does not run any more."""
        self._running[agent] -= 1
        if self._running[agent] <= 0:
            del self._running[agent]
