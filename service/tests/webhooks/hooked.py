# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""Control in this process, with a forge that it takes webhooks of."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from control.fakes import FakeSpawner
from control.running_app import TOKEN, Control, Parts, control
from control.service import until
from forge.deliveries import SECRET, Delivery

from agentd.webhooks.values import Received

Json = dict[str, Any]
SETTINGS: Json = {"secret": SECRET, "user": "agent", "label": "agent"}
FORGES: Json = {
    "code": {"kind": "forgejo"},
    "hub": {"kind": "github"},
    "tracker": {"kind": "jira"},
}
NOTED = Received(
    number=0,
    source="forgejo",
    delivery="once",
    event="issues",
    action="closed",
    repository="team/shop",
    issue="7",
    branch=None,
    received_at=1.0,
    outcome="cleaning",
    detail=None,
    task_id=None,
)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class WorkingSpawner(FakeSpawner):
    """Agents whose sides have worktrees to give and to remove."""

    trees: dict[tuple[str, str], str] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, Any],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        answered = await super().call(
            agent, name, parameters, timeout_seconds=timeout_seconds
        )
        if name == "acquire_workdir":
            key = agent, str(parameters["branch"])
            self.trees[key] = f"/data/workdirs/{parameters['branch']}"
            return {"path": self.trees[key], "created": True, "notices": []}
        if name == "release_workdir":
            return {"released": True, "removed": False}
        if name == "remove_workdirs":
            return {"removed": self._remove(agent, parameters), "busy": [], "saved": []}
        return answered

    def _remove(self, agent: str, parameters: Mapping[str, Any]) -> list[str]:
        asked = [(agent, str(one["branch"])) for one in parameters["trees"]]
        gone = [key for key in asked if self.trees.pop(key, None) is not None]
        self.removed += gone
        return [branch for _agent, branch in gone]


@dataclass
class Hooked:
    """Control that webhooks come to."""

    control: Control
    spawner: WorkingSpawner

    async def settle(self, source: str = "forgejo", **changes: object) -> None:
        """Put the settings of webhooks in place."""
        answer = await self.control.client.put(
            f"/api/registry/webhooks/{source}",
            json={**SETTINGS, **changes},
            headers=BEARER,
        )
        assert answer.status_code == 200, answer.text

    async def send(self, sent: Delivery, source: str = "forgejo") -> httpx.Response:
        """Send a webhook as its forge does: without a token."""
        return await self.control.client.post(
            f"/webhooks/{source}", content=sent.body, headers=sent.headers
        )

    async def take(self, sent: Delivery, source: str = "forgejo") -> Json:
        """Send a webhook that is taken; return what became of it."""
        answer = await self.send(sent, source)
        assert answer.status_code in {200, 202}, answer.text
        body: Json = answer.json()
        expected = 200 if body["repeated"] or body["outcome"] == "ignored" else 202
        assert answer.status_code == expected
        return body

    async def listed(self, **asked: object) -> list[Json]:
        """Return the webhooks that control tells of."""
        answer = await self.control.client.get(
            "/webhooks", params=json.loads(json.dumps(asked)), headers=BEARER
        )
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json()["webhooks"]
        return found

    async def ended(self, task_id: str) -> Json:
        """Return a task after its end."""
        await self.control.service.queue.finished(task_id, 20)
        answer = await self.control.client.get(f"/queue/{task_id}", headers=BEARER)
        found: Json = answer.json()
        return found

    async def cleaned(self) -> None:
        """Wait until nothing is left to be removed."""

        async def left() -> bool:
            return any(one["outcome"] == "cleaning" for one in await self.listed())

        while await left():
            await until(lambda: True)


@asynccontextmanager
async def hooked(directory: Path, **settings: object) -> AsyncIterator[Hooked]:
    """Give control with declared forges and webhooks of the first."""
    spawner = WorkingSpawner(connected={"main": True, "second": True})
    parts = Parts(
        spawner=spawner,
        token=TOKEN,
        settings={
            "forges": FORGES,
            "definitions_directory": str(directory / "definitions"),
            "built_in_definitions_directory": str(directory / "built-in"),
            **settings,
        },
    )
    (directory / "definitions").mkdir(exist_ok=True)
    async with control(directory, parts) as running:
        found = Hooked(running, spawner)
        await found.settle()
        yield found
