# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors
"""A queue in this process, with a scripted runner and an output that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from agentd.clock import Clock
from agentd.database.open import Database, open_database
from agentd.hosts.presence import Presence
from agentd.output.protocol import OutputEvent
from agentd.queue.parts import HostPresence, QueueParts
from agentd.queue.queue import Queue
from agentd.queue.values import Task, TaskEnd, TaskSteps
from agentd.settings import AgentEntry, ControlSettings


class ScriptedRunner:
    """Ends each task as its prompt says: an echo, or a wait until it is let go."""

    def __init__(self) -> None:
        self.begun: list[Task] = []
        self.ends: dict[str, TaskEnd | None] = {}
        self.go = asyncio.Event()
        self.running = 0
        self.most: dict[str, int] = {}
        self._now: dict[str, int] = {}

    async def run(self, task: Task, steps: TaskSteps) -> TaskEnd:
        self.begun.append(task)
        now = self._now[task.agent] = self._now.get(task.agent, 0) + 1
        self.most[task.agent] = max(self.most.get(task.agent, 0), now)
        try:
            return await self._run(task, steps)
        finally:
            self._now[task.agent] -= 1

    async def _run(self, task: Task, steps: TaskSteps) -> TaskEnd:
        steps.say("chunk", {"text": task.prompt})
        word, _space, rest = task.prompt.partition(" ")
        if word == "wait":
            await self.go.wait()
        elif word == "sleep":
            await asyncio.sleep(float(rest))
        elif word == "break":
            raise ValueError("broken")
        elif word == "later" and not self.go.is_set():
            return TaskEnd("queued", again_seconds=float(rest))
        elif word == "unknown":
            return TaskEnd("running")
        elif word == "note":
            await steps.bind("no-conversation", "11111111-1111-4111-8111-111111111111")
            await steps.note("noted", rest)
        return TaskEnd("completed", result=f"did {task.prompt}", cost_usd=0.5)

    async def end_of(self, task: Task) -> TaskEnd | None:
        return self.ends.get(task.prompt, TaskEnd("queued"))

    def prompts(self) -> list[str]:
        return [task.prompt for task in self.begun]


class KeptOutput:
    """Keeps what tasks said, in order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, Mapping[str, object]]] = []

    async def __aenter__(self) -> KeptOutput:
        return self

    async def __aexit__(self, *details: object) -> None:
        pass

    def say(self, task_id: str, event: str, data: Mapping[str, object]) -> None:
        self.said.append((task_id, event, data))

    def end(self, task_id: str, data: Mapping[str, object]) -> None:
        self.said.append((task_id, "end", data))

    def dismiss(self) -> None:
        pass

    async def read(
        self, task_id: str, after: str | None, patience_seconds: float
    ) -> AsyncGenerator[OutputEvent | None, None]:
        yield None


@dataclass
class Running:
    """A running queue with what it stands on."""

    queue: Queue
    database: Database
    runner: ScriptedRunner
    output: KeptOutput


@dataclass
class Start:
    """How a queue is started."""

    runner: ScriptedRunner = field(default_factory=ScriptedRunner)
    output: KeptOutput = field(default_factory=KeptOutput)
    presence: HostPresence | None = None
    settings: dict[str, object] = field(default_factory=dict)
    agents: tuple[str, ...] = ("main",)


def settings_of(url: str, start: Start) -> ControlSettings:
    values = {
        "component": "control",
        "deployment": "demo",
        "database_url": url,
        "listen_host": "127.0.0.1",
        "agents": [AgentEntry(name=name) for name in start.agents],
        **start.settings,
    }
    return ControlSettings.model_validate(values)


@asynccontextmanager
async def running_queue(url: str, start: Start | None = None) -> AsyncIterator[Running]:
    used = start or Start()
    settings = settings_of(url, used)
    async with open_database(url) as database, AsyncExitStack() as stack:
        presence = used.presence
        if presence is None:
            here = Presence(
                database,
                settings.host,
                used.agents,
                Clock(),
                settings.worker_lost_seconds,
            )
            presence = await stack.enter_async_context(here)
        parts = QueueParts(
            settings=settings,
            database=database,
            presence=presence,
            output=used.output,
            clock=Clock(),
            runner=used.runner,
        )
        async with Queue(parts) as queue:
            yield Running(queue, database, used.runner, used.output)
