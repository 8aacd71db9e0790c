# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A gate for the work of several agents: the waiting ones enter agent by agent."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Callable, Mapping

MayEnter = Callable[[Mapping[str, int], str], bool]


class FairGate:
    """Lets work in by a rule over what each agent has inside.

    Whoever waits enters in the order of its agent's queue. Among the agents, the one
    with the least inside is first, then the one that was served longest ago: many
    who wait for one agent do not stand before the few of another.
    """

    def __init__(self, may_enter: MayEnter) -> None:
        self._may_enter = may_enter
        self._inside: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._served: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def waiting(self) -> Mapping[str, int]:
        """Return how many wait for each agent."""
        return {agent: len(queue) for agent, queue in self._waiting.items()}

    def is_open(self, agent: str) -> bool:
        """Return whether the agent's work would enter without a wait."""
        return agent not in self._waiting and self._may_enter(self._inside, agent)

    async def enter(self, agent: str) -> None:
        """Wait until the agent's work may be inside, and be it."""
        if self.is_open(agent):
            self._let_in(agent)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(agent, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # It was let in and cancelled at once.
                self.leave(agent)
            else:
                self._leave_queue(agent, turn)
            raise

    def leave(self, agent: str) -> None:
        """Be no longer inside, and let in who may enter now."""
        self._inside[agent] -= 1
        if self._inside[agent] <= 0:
            del self._inside[agent]
        self.look()

    def look(self) -> None:
        """Let in everybody who may enter now."""
        while (agent := self._next()) is not None:
            turn = self._waiting[agent].popleft()
            if not self._waiting[agent]:
                del self._waiting[agent]
            if not turn.done():
                self._let_in(agent)
                turn.set_result(None)

    def _next(self) -> str | None:
        able = [a for a in self._waiting if self._may_enter(self._inside, a)]
        return min(
            able,
            key=lambda agent: (self._inside[agent], self._served.get(agent, 0)),
            default=None,
        )

    def _let_in(self, agent: str) -> None:
        self._inside[agent] += 1
        self._served[agent] = next(self._numbers)

    def _leave_queue(self, agent: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(agent)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[agent]
