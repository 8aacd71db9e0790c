# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""A running gateway with the offline model and running agent sides, for any test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from forge.fixtures import forge, forge_ssh
from servers.databases import database_url
from servers.fixtures import (
    cluster,
    cluster_of_session,
    postgres_server,
    postgres_url,
    redis_server,
    redis_server_of_session,
    sentinels,
)
from stack import Stack, free_port, until

from agentd.spawner.control import SocketSpawner

__all__ = [
    "Stack",
    "cluster",
    "cluster_of_session",
    "database_url",
    "forge",
    "forge_ssh",
    "free_port",
    "postgres_server",
    "postgres_url",
    "redis_server",
    "redis_server_of_session",
    "sentinels",
    "until",
]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory with a path short enough for sockets in it."""
    path = Path(tempfile.mkdtemp(prefix="ak-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


RunningStack = Callable[..., AbstractAsyncContextManager[Stack]]


@pytest.fixture
def running_stack(short_path: Path) -> RunningStack:
    """Return ``running_stack(agents=("main",), with_spawner=True)``.

    It is an asynchronous context: gateway, offline model and agent sides run as
    processes. Without a spawner, the test's own control listens on the sockets.
    """

    @asynccontextmanager
    async def start(
        agents: Sequence[str] = ("main",),
        with_spawner: bool = True,
        drain_seconds: float = 5,
    ) -> AsyncIterator[Stack]:
        stack = Stack(short_path, tuple(agents), drain_seconds)
        for agent in agents:
            (stack.sockets_directory / agent).mkdir(parents=True)
            stack.memory(agent).mkdir(parents=True)
            (short_path / agent / "skill-data").mkdir()
        try:
            stack.start_gateway()
            for agent in agents:
                stack.start_side(agent)
            if not with_spawner:
                yield stack
                return
            async with SocketSpawner(
                stack.sockets_directory, agents, time.monotonic
            ) as spawner:
                stack.use(spawner)
                for agent in agents:
                    await stack.until_connected(agent)
                yield stack
        finally:
            await asyncio.to_thread(stack.stop)

    return start
