# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""This host among those that share the database: seen by them, and seeing them.

With a database of its own a host is alone, and writes only that it started.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from sqlalchemy import Connection

from agentd.clock import Clock
from agentd.database.hosts import Host, end_when_idle, list_hosts, put_host, take_name
from agentd.database.open import Database, Kept
from agentd.errors import DatabaseFailed, HostNameTaken
from agentd.hosts.sightings import Sightings
from agentd.log import get_log

BEATS = 6
RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 2.0
TAKEN = (
    'Cannot run control as host "{}": another control that runs has this name in the '
    "same database. Stop it, or set host to a name of its own on each machine."
)

log = get_log("hosts")


class Presence:
    """Holds this host's name, tells that it lives, and knows who was lost."""

    def __init__(
        self,
        database: Database,
        name: str,
        agents: Sequence[str],
        clock: Clock,
        lost_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lost_seconds = lost_seconds
        self._every = lost_seconds / BEATS
        self._sightings = Sightings()
        self._hosts: Mapping[str, Host] = {}
        self._lost: frozenset[str] = frozenset()
        self._me = Host(
            name=name,
            instance=str(uuid.uuid4()),
            started_at=clock.now(),
            seen_at=clock.now(),
            agents=tuple(agents),
        )
        self._first: asyncio.Future[None] | None = None
        self._stack = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None
        self._stop: Callable[[str], None] | None = None

    @property
    def name(self) -> str:
        """Return this host's name."""
        return self._me.name

    @property
    def instance(self) -> str:
        """Return the id of this process of control."""
        return self._me.instance

    @property
    def alone(self) -> bool:
        """Return whether no other host can have this database."""
        return not self._database.shared

    def lost(self) -> frozenset[str]:
        """Return the other hosts of which no sign of life came for too long."""
        return self._lost

    def lost_hosts(self) -> Sequence[Host]:
        """Return the lost hosts, each as it was seen last."""
        return [self._hosts[name] for name in sorted(self._lost)]

    def hosts(self) -> Mapping[str, Host]:
        """Return the hosts as they were seen last, this one among them."""
        return self._hosts

    def stop_with(self, stop: Callable[[str], None] | None) -> None:
        """Let ``stop`` be called with the reason, should the name go to another."""
        self._stop = stop

    async def __aenter__(self) -> Presence:
        """Begin; raise HostNameTaken if another control has the name and lives."""
        if self.alone:
            self._hosts = await self._database.do(self._beat)
            return self
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._first = asyncio.get_running_loop().create_future()
        self._task = tasks.create_task(self._live(self._first), name="host")
        try:
            await self._first
        except BaseException:
            self._task.cancel()
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *details: object) -> None:
        """End; others find this host lost in a while, or it is back before."""
        if self._task is not None:
            self._task.cancel()
        await self._stack.aclose()

    async def _live(self, first: asyncio.Future[None]) -> None:
        """Hold the name and tell that this host lives, until cancelled."""
        refused_since: float | None = None
        pause = RETRY_SECONDS
        while True:
            try:
                async with self._database.keep() as kept:
                    if await kept.run(self._take):
                        refused_since, pause = None, RETRY_SECONDS
                        await self._beats(kept, first)
            except DatabaseFailed as error:
                if not first.done():
                    first.set_exception(error)
                    return
                log.warning("host_not_seen", host=self.name, error=str(error))
                self._sightings, self._lost = self._sightings.broken(), frozenset()
            else:
                now = self._clock.monotonic()
                refused_since = now if refused_since is None else refused_since
                # The server closes the line of one that was killed or cut off.
                if now - refused_since > self._lost_seconds:
                    self._taken(first)
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY_SECONDS, self._every)

    async def _beats(self, kept: Kept, first: asyncio.Future[None]) -> None:
        while True:
            hosts = await kept.run(self._beat)
            self._look(hosts)
            if not first.done():
                first.set_result(None)
            await asyncio.sleep(self._every)

    def _take(self, connection: Connection) -> bool:
        end_when_idle(connection, self._lost_seconds * 2 / 3)
        return take_name(connection, self.name)

    def _beat(self, connection: Connection) -> Mapping[str, Host]:
        put_host(connection, replace(self._me, seen_at=self._clock.now()))
        return list_hosts(connection)

    def _look(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts
        gap = BEATS / 2 * self._every
        self._sightings = self._sightings.look(hosts, self._clock.monotonic(), gap)
        lost = self._sightings.lost(self._lost_seconds) - {self.name}
        for name in sorted(lost - self._lost):
            log.warning("host_lost", host=name)
        for name in sorted(self._lost - lost):
            log.info("host_back", host=name)
        self._lost = lost

    def _taken(self, first: asyncio.Future[None]) -> None:
        reason = TAKEN.format(self.name)
        if not first.done():
            first.set_exception(HostNameTaken(reason))
            return
        log.critical("host_name_taken", error=reason)
        if self._stop is not None:
            self._stop(reason)
