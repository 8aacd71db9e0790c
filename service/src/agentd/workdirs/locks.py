# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""Who holds which worktree, in this process: nothing of it outlives the CLIs (H07)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Whoever waits takes a place among the calls under way; others need some too.
MAX_WAITING = 20
LOOK_AGAIN_SECONDS = 0.5


class Busy(Exception):
    """A worktree is held by another, or nobody may wait for it any more."""


class GivenUp(Exception):
    """Whoever waited for a worktree wants it no more."""


@dataclass
class Hold:
    """Who holds a worktree since when; lost if control does not know of it."""

    holder: str
    since: float
    lost: bool = False


class TreeLocks:
    """Holds worktrees for turns; to be used from the event loop alone."""

    def __init__(self, in_use: Callable[[Path], bool]) -> None:
        self.in_use = in_use
        self._holds: dict[Path, Hold] = {}
        self._waiting: list[tuple[Path, str]] = []
        self._changed = asyncio.Event()

    def is_held(self, tree: Path) -> bool:
        """Return whether somebody holds the worktree, or a CLI works in it."""
        return self._hold(tree) is not None or self.in_use(tree)

    def is_held_by(self, tree: Path, holder: str) -> bool:
        """Return whether that one holds the worktree."""
        hold = self._hold(tree)
        return hold is not None and hold.holder == holder

    def _hold(self, tree: Path) -> Hold | None:
        hold = self._holds.get(tree)
        if hold is not None and hold.lost and not self.in_use(tree):
            del self._holds[tree]
            return None
        return hold

    async def take(self, tree: Path, holder: str, seconds: float) -> None:
        """Hold the worktree as soon as nobody else does; raise Busy or GivenUp.

        Whoever holds it already holds it on: a call may have been repeated.
        """
        if self._is_free_for(tree, holder):
            self._holds[tree] = Hold(holder, time.time())
            return
        if len(self._waiting) >= MAX_WAITING:
            raise Busy(f"{MAX_WAITING} others wait for work directories already")
        place = (tree, holder)
        self._waiting.append(place)
        end = asyncio.get_running_loop().time() + seconds
        try:
            while not self._is_free_for(tree, holder):
                await self._wait(end, self._reason(tree))
                if place not in self._waiting:
                    raise GivenUp
            self._holds[tree] = Hold(holder, time.time())
        finally:
            if place in self._waiting:
                self._waiting.remove(place)

    def _is_free_for(self, tree: Path, holder: str) -> bool:
        hold = self._hold(tree)
        return hold is None or hold.holder == holder

    def _reason(self, tree: Path) -> str:
        hold = self._holds.get(tree)
        if hold is None:
            return "it was held until now"
        return f'"{hold.holder}" holds it for {time.time() - hold.since:.0f} s'

    async def _wait(self, end: float, reason: str) -> None:
        left = end - asyncio.get_running_loop().time()
        if left <= 0:
            raise Busy(reason)
        self._changed.clear()
        try:
            # A CLI that ends frees what was lost, and tells nobody here.
            async with asyncio.timeout(min(left, LOOK_AGAIN_SECONDS)):
                await self._changed.wait()
        except TimeoutError:
            return

    def seize(self, tree: Path, holder: str) -> bool:
        """Hold the worktree if nobody uses it now; return whether that one does."""
        if self.is_held(tree):
            return False
        self._holds[tree] = Hold(holder, time.time())
        return True

    def give(self, tree: Path, holder: str) -> bool:
        """Hold it no more, nor wait for it; return whether that one did."""
        waited = [one for one in self._waiting if one == (tree, holder)]
        self._waiting = [one for one in self._waiting if one != (tree, holder)]
        hold = self._holds.get(tree)
        if hold is not None and hold.holder == holder:
            del self._holds[tree]
        elif not waited:
            return False
        self._changed.set()
        return True

    def lose(self) -> None:
        """Note that control is gone: what it held is free when no CLI works in it."""
        for hold in self._holds.values():
            hold.lost = True
        self._changed.set()
