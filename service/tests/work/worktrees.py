# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Agents that have worktrees, as control meets them, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control.fakes import FakeSpawner
from control.running_app import Control, Parts, control

from agentd.errors import AgentdError, CallRefused

Json = dict[str, Any]
FORGES = {"work": {}, "other": {"kind": "github"}}
WEB = "work:shop/web"
ON_BRANCH = {"repository": "shop/web", "branch": "fix/cart"}
SECONDS = 10.0

# Of which agent, in which repository, on which branch.
Place = tuple[str, str, str]


@dataclass
class WorkSpawner(FakeSpawner):
    """Agents with worktrees, each held by one at a time, as their own side does."""

    trees: set[Place] = field(default_factory=set)
    held: dict[Place, str] = field(default_factory=dict)
    used: set[Place] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)
    work_errors: list[AgentdError | None] = field(default_factory=list)
    gate: asyncio.Event | None = None
    path: str = "/data/workdirs/work/worktrees"

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        answer = {
            "acquire_workdir": self._acquire,
            "release_workdir": self._release,
            "remove_workdirs": self._remove,
        }.get(name)
        found = await super().call(
            agent, name, parameters, timeout_seconds=timeout_seconds
        )
        if answer is None:
            return found
        error = self.work_errors.pop(0) if self.work_errors else None
        if error is not None:
            raise error
        return await answer(agent, dict(parameters))

    async def _acquire(self, agent: str, given: Json) -> Json:
        place = (agent, given["repository"], given["branch"])
        if self.gate is not None:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                # Whoever asked is gone, and it is made all the same.
                self.held[place] = given["holder"]
                raise
        if self.held.get(place, given["holder"]) != given["holder"]:
            raise CallRefused("refused", f'busy: "{self.held[place]}" holds it.')
        self.held[place] = given["holder"]
        created = place not in self.trees
        self.trees.add(place)
        return {
            "path": f"{self.path}/{given['branch'].replace('/', '-')}",
            "created": created,
            "notices": self.notices,
        }

    async def _release(self, agent: str, given: Json) -> Json:
        place = (agent, given["repository"], given["branch"])
        mine = self.held.get(place) == given["holder"]
        if mine:
            del self.held[place]
        return {"released": mine, "removed": False}

    async def _remove(self, agent: str, given: Json) -> Json:
        answer: Json = {"removed": [], "busy": [], "saved": []}
        for named in given["trees"]:
            place = (agent, named["repository"], named["branch"])
            if place in self.held or place in self.used:
                answer["busy"].append(named)
            elif place in self.trees:
                self.trees.remove(place)
                answer["removed"].append(named)
        return answer

    def work_calls(self, name: str) -> list[Json]:
        """Return what was given to each call of that name."""
        return [dict(given) for _agent, one, given in self.calls if one == name]


@dataclass
class WorkControl:
    """Control with its agents."""

    control: Control
    spawner: WorkSpawner

    async def say(self, message: str = "hello", **body: object) -> Json:
        """Say a message; return the answer of a turn that was taken."""
        response = await self.control.say(message, **body)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    async def post(self, path: str, **body: object) -> tuple[int, Json]:
        """Return the status and the body of an answer."""
        response = await self.control.client.post(path, json=body)
        return response.status_code, response.json()


@asynccontextmanager
async def working(
    directory: Path, parts: Parts | None = None, /, **settings: object
) -> AsyncIterator[WorkControl]:
    """Start control with two forges, and agents that have worktrees."""
    used = parts or Parts()
    if not isinstance(used.spawner, WorkSpawner):
        used.spawner = WorkSpawner(connected={"main": True, "mail": True})
    used.settings = {"forges": FORGES, **used.settings, **settings}
    async with control(directory, used) as running:
        yield WorkControl(running, used.spawner)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
