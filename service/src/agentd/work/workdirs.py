# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Work directories of agents: acquired, released for certain, and removed.

What an agent's side answers is a claim: it is checked, bounded and made printable.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from agentd.errors import (
    AgentdError,
    AgentLost,
    AgentUnavailable,
    CallRefused,
    CallTimedOut,
    WorkdirBusy,
    WorkdirFailed,
)
from agentd.log import get_log
from agentd.spawner.calls import printable
from agentd.spawner.protocol import Spawner
from agentd.work.naming import Naming
from agentd.work.values import Acquired, Removed, Tree
from agentd.work_settings import WorkSettings

RELEASE_SECONDS = 10.0
REMOVE_SECONDS = 150.0
# For the way there and back, beside what the agent's side may take.
GRACE_SECONDS = 15.0
RETRY_SECONDS = 2.0
# A live client has what was fetched when it was started.
NEVER_SECONDS = 10 * 365 * 86_400.0
MAX_OWED = 4096
MAX_TOLD = 100
MAX_NOTICES = 8
MAX_PATH_CHARACTERS = 4096
BUSY = (
    'Cannot begin a turn of agent "{agent}" on branch "{branch}" of "{repository}": '
    "another conversation works there: {reason} Try again when its turn has ended, "
    "or raise work.acquire_timeout_seconds."
)
FAILED = (
    'Cannot prepare the work directory of agent "{agent}" for branch "{branch}" of '
    '"{repository}": {reason} Look at the repository, and at what forges allow.'
)

log = get_log("work")


@dataclass(frozen=True)
class Hold:
    """A work directory that somebody has for himself: an agent's, and whose."""

    agent: str
    tree: Tree
    holder: str

    def parameters(self) -> dict[str, object]:
        """Return what the agent's side is told of it."""
        return {
            "repository": str(self.tree.repository),
            "branch": self.tree.branch,
            "holder": self.holder,
        }


class Workdirs:
    """The work directories of this host's agents.

    A release that its agent did not take is owed, and tried until it did.
    """

    def __init__(
        self,
        settings: WorkSettings,
        naming: Naming,
        spawner: Spawner,
        monotonic: Callable[[], float],
    ) -> None:
        self.naming = naming
        self._settings = settings
        self._spawner = spawner
        self._monotonic = monotonic
        # Until when it is tried although the agent says that it was not held.
        self._owed: dict[Hold, float] = {}
        self._due = asyncio.Event()
        self._retrying: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def longest_seconds(self) -> float:
        """Return how long a work directory may take to be had at most."""
        waits = self._settings.acquire_timeout_seconds
        return waits + self._settings.prepare_timeout_seconds + GRACE_SECONDS

    async def acquire(self, hold: Hold, *, fetch: bool = True) -> Acquired:
        """Return the work directory, made or found at its one place.

        The same holder may acquire it again. Raise WorkdirBusy or WorkdirFailed; it is
        not held then, or given back as soon as its agent takes that.
        """
        async with self._retrying[hold.agent]:
            self._owed.pop(hold, None)
        given = {
            **hold.parameters(),
            "timeout_seconds": self._settings.acquire_timeout_seconds,
            "prepare_seconds": self._settings.prepare_timeout_seconds,
            "fetch_seconds": self._settings.fetch_seconds if fetch else NEVER_SECONDS,
            "live": not fetch,
        }
        try:
            told = await self._spawner.call(
                hold.agent,
                "acquire_workdir",
                given,
                timeout_seconds=self.longest_seconds,
            )
        except CallRefused as error:
            raise refusal(hold, error) from error
        except (AgentLost, AgentUnavailable, CallTimedOut) as error:
            self._owe(hold, self.longest_seconds)
            raise WorkdirFailed(_words(FAILED, hold, str(error))) from error
        except BaseException:
            # It may be made all the same, and be held by nobody.
            self._owe(hold, self.longest_seconds)
            raise
        return read_acquired(hold, told)

    async def release(self, hold: Hold) -> None:
        """Give a work directory back; what fails is tried again beside."""
        try:
            await self._release(hold)
        except AgentdError as error:
            log.warning("workdir_not_released", agent=hold.agent, error=str(error))
            self._owe(hold, 0.0)
        except BaseException:
            self._owe(hold, 0.0)
            raise

    async def remove(self, agent: str, trees: Iterable[Tree]) -> Removed:
        """Remove worktrees that nobody holds; what is not committed is saved first.

        Raise an agent's error or WorkdirFailed.
        """
        asked = [
            {"repository": str(tree.repository), "branch": tree.branch}
            for tree in trees
        ]
        if not asked:
            return Removed()
        try:
            told = await self._spawner.call(
                agent,
                "remove_workdirs",
                {"trees": asked, "force": True},
                timeout_seconds=REMOVE_SECONDS,
            )
        except CallRefused as error:
            raise WorkdirFailed(str(error)) from error
        return Removed(
            count=len(_list(told, "removed")[: len(asked)]),
            busy=tuple(_named(one) for one in _list(told, "busy")[: len(asked)]),
            saved=tuple(_named(one) for one in _list(told, "saved")[:MAX_TOLD]),
        )

    async def run(self) -> None:
        """Try what is owed until cancelled."""
        while True:
            await self._due.wait()
            await asyncio.sleep(RETRY_SECONDS)
            self._due.clear()
            for agent in {hold.agent for hold in self._owed}:
                await self._retry(agent)
            if self._owed:
                self._due.set()

    async def _retry(self, agent: str) -> None:
        state = self._spawner.states().get(agent)
        if state is None or not state.connected:
            return
        async with self._retrying[agent]:
            mine = [hold for hold in self._owed if hold.agent == agent]
            for hold in mine:
                try:
                    released = await self._release(hold)
                except AgentdError:
                    return
                if released or self._owed.get(hold, 0.0) <= self._monotonic():
                    self._owed.pop(hold, None)

    async def _release(self, hold: Hold) -> bool:
        told = await self._spawner.call(
            hold.agent,
            "release_workdir",
            {**hold.parameters(), "keep": True},
            timeout_seconds=RELEASE_SECONDS,
        )
        return told.get("released") is True

    def _owe(self, hold: Hold, seconds: float) -> None:
        self._owed[hold] = self._monotonic() + seconds
        if len(self._owed) > MAX_OWED:
            del self._owed[next(iter(self._owed))]
        self._due.set()


def refusal(hold: Hold, error: CallRefused) -> AgentdError:
    """Return what is told of a work directory that was refused."""
    busy = error.reason.lower().startswith("busy")
    kind, words = (WorkdirBusy, BUSY) if busy else (WorkdirFailed, FAILED)
    return kind(_words(words, hold, error.reason))


def read_acquired(hold: Hold, told: Mapping[str, object]) -> Acquired:
    """Return what an agent's side told; raise WorkdirFailed if it is no answer."""
    path = told.get("path")
    if (
        not isinstance(path, str)
        or not path.startswith("/")
        or len(path) > MAX_PATH_CHARACTERS
    ):
        raise WorkdirFailed(_words(FAILED, hold, "it told no path."))
    notices = _list(told, "notices")[:MAX_NOTICES]
    return Acquired(
        path=path.encode("utf-8", "replace").decode("utf-8"),
        created=told.get("created") is True,
        fetched=told.get("fetched") is True,
        notices=tuple(printable(one) for one in notices if isinstance(one, str)),
    )


def _words(words: str, hold: Hold, reason: str) -> str:
    return words.format(
        agent=hold.agent,
        branch=hold.tree.branch,
        repository=hold.tree.repository,
        reason=f"{reason.rstrip(' .')}.",
    )


def _list(told: Mapping[str, object], name: str) -> list[object]:
    found = told.get(name)
    return found if isinstance(found, list) else []


def _named(told: object) -> str:
    """Return the branch that an answer names, made safe to show."""
    return printable(told.get("branch") if isinstance(told, dict) else told)
