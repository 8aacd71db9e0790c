# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Places for turns that run, and a bounded queue of the turns that wait for one."""

from __future__ import annotations

import asyncio

from agentd.engine.gate import FairGate
from agentd.engine.limits import PoolLimits
from agentd.engine.protocol import EngineWatch
from agentd.engine.shares import Shares
from agentd.errors import EngineBusy


class Places:
    """Lets as many turns run as clients may live, fair between the agents."""

    def __init__(self, limits: PoolLimits, watch: EngineWatch) -> None:
        self._limits = limits
        self._watch = watch
        self._running = Shares(limits.max_live, limits.agents, limits.caps)
        self._queue = Shares(limits.max_waiting, limits.agents)
        self._gate = FairGate(self._running.may_take)

    def cap(self, agent: str) -> int:
        """Return how many clients an agent may have at most."""
        return self._running.cap(agent)

    def has_room(self, agent: str) -> bool:
        """Return whether a turn could run now, or wait for it."""
        return self._gate.is_open(agent) or self._may_wait(agent)

    async def enter(self, agent: str) -> None:
        """Wait until a turn of the agent may run; raise EngineBusy if it may not."""
        if self._gate.is_open(agent):
            await self._gate.enter(agent)
            return
        if not self._may_wait(agent):
            raise EngineBusy(
                f'Cannot take a turn of agent "{agent}": as many turns run and wait '
                f"as may ({self.cap(agent)} clients for it, "
                f"{self._limits.max_waiting} waiting turns in all). Try again "
                "shortly, or raise max_live_clients or max_waiting_turns."
            )
        try:
            async with asyncio.timeout(self._limits.waiting_seconds):
                entering = self._gate.enter(agent)
                # The gate counts it once it waits.
                asyncio.get_running_loop().call_soon(self._tell)
                await entering
        except TimeoutError:
            raise EngineBusy(
                f'Cannot take a turn of agent "{agent}": no client became free within '
                f"{self._limits.waiting_seconds:g} s. Try again shortly, or raise "
                "max_live_clients or max_waiting_seconds."
            ) from None
        finally:
            self._tell()

    def leave(self, agent: str) -> None:
        """Note that a turn of the agent runs no longer."""
        self._gate.leave(agent)

    def _may_wait(self, agent: str) -> bool:
        return self._queue.may_take(self._gate.waiting(), agent)

    def _tell(self) -> None:
        self._watch.waiting(sum(self._gate.waiting().values()))
