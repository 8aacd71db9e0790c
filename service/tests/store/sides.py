# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, The Agentkeep authors

"""An agent's side in this process, and one that answers what it likes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from control.fakes import FakeSpawner

from agentd.agent.restore import restore_calls
from agentd.agent.settings import parse_agent_settings
from agentd.engine.mirror_store import Binding
from agentd.errors import CallRefused
from agentd.spawner.dial import CallFailed
from agentd.transcripts.key import project_key

from .stores import SESSION

BINDING = Binding("main", "conv-1", SESSION)


class Side(FakeSpawner):
    """An agent's side in this process: its real calls on a real disk."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        work = directory / "memory"
        work.mkdir()
        settings = parse_agent_settings(
            {
                "component": "agent",
                "deployment": "demo",
                "agent": "main",
                "working_directory": str(work),
                "config_directory": str(work / ".claude"),
            }
        )
        self.busy = False
        self.project = work / ".claude" / "projects" / project_key(work)
        self.table = restore_calls(settings, lambda _session: self.busy)

    @property
    def transcript(self) -> Path:
        return self.project / f"{SESSION}.jsonl"

    def write(self, *lines: bytes) -> None:
        self.project.mkdir(parents=True, exist_ok=True)
        self.transcript.write_bytes(b"".join(lines))

    async def call(
        self,
        agent: str,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_seconds: float,
    ) -> dict[str, object]:
        self.calls.append((agent, name, parameters))
        try:
            return dict(await self.table[name](parameters))
        except CallFailed as error:
            raise CallRefused(str(error)) from error


class Hostile(FakeSpawner):
    """An agent's side that answers what it likes."""

    def __init__(self, answers: list[dict[str, object]]) -> None:
        super().__init__()
        self.answers = list(answers)

    async def call(self, *_given: Any, **_more: Any) -> dict[str, object]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def piece(data: bytes, offset: int = 0, size: int = 0) -> dict[str, object]:
    told = base64.b64encode(data).decode()
    return {"exists": True, "found": True, "offset": offset, "size": size, "data": told}
