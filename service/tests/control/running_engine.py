# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A running engine over fake clients, for tests of live clients and of outcomes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agentd.engine.limits import PoolLimits
from agentd.engine.pool import Pool
from agentd.engine.pooled import PooledEngine
from agentd.engine.protocol import ClientWish, TurnEvent, TurnOutcome
from agentd.sessions.identity import new_session_id

from .fakes import FakeClient, FakeClients

LIMITS = PoolLimits(max_live=2, max_starting=2, idle_seconds=100.0)


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def engine_of(
    clients: FakeClients, limits: PoolLimits = LIMITS, clock: Hand | None = None
) -> AsyncIterator[PooledEngine]:
    async with PooledEngine(Pool(clients, limits, clock or Hand()), 0.05) as engine:
        yield engine


async def say(
    engine: PooledEngine,
    wanted: ClientWish,
    message: str = "hello",
    seconds: float = 5.0,
) -> TurnOutcome:
    def ignore(_event: TurnEvent) -> None:
        return None

    return await engine.turn(
        wanted,
        message,
        ignore,
        timeout_seconds=seconds,
        message_uuid=new_session_id(),
    )


def silent(client: FakeClient) -> None:
    client.answers = False
