# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""The calls about worktrees, as control makes them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from agentd.agent.log import Log
from agentd.agent.workdir_calls import WorkdirCalls
from agentd.workdirs.locks import TreeLocks

from .world import World


class Side:
    """The calls of an agent's side, and in which directories its CLIs run."""

    def __init__(self, world: World) -> None:
        self.running: set[Path] = set()
        self.heard = io.StringIO()
        log = Log("main", "info", self.heard)
        self.locks = TreeLocks(self.running.__contains__)
        self.calls = WorkdirCalls(world.settings, log, self.locks, world.places)

    async def acquire(
        self, branch: str, holder: str = "a", **more: object
    ) -> dict[str, Any]:
        """Acquire a worktree of the shop."""
        given = {"repository": "forge:team/shop", "branch": branch, "holder": holder}
        return dict(await self.calls.acquire({"timeout_seconds": 5, **given, **more}))

    async def release(
        self, branch: str, holder: str = "a", *, keep: bool = True
    ) -> dict[str, Any]:
        """Give a worktree of the shop back."""
        given = {"repository": "forge:team/shop", "branch": branch, "holder": holder}
        return dict(await self.calls.release({**given, "keep": keep}))

    async def remove(self, *branches: str, force: bool = True) -> dict[str, Any]:
        """Remove worktrees of the shop."""
        trees = [{"repository": "forge:team/shop", "branch": one} for one in branches]
        return dict(await self.calls.remove({"trees": trees, "force": force}))

    async def list_all(self, **given: object) -> dict[str, Any]:
        """List what is there."""
        return dict(await self.calls.list_all(given))

    async def sweep(self, **given: object) -> dict[str, Any]:
        """Remove all that was saved."""
        return dict(await self.calls.sweep({"older_than_seconds": 0, **given}))
