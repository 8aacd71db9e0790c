# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""How many tasks may be taken now, of which agents; decided without effects."""

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
